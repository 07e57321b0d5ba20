<?php
/**
 * Plugin Name: Herald
 * Description: Tells Herald when a post is published, changed or withdrawn here.
 * Version: 1.0.0
 * Requires at least: 5.6
 * Requires PHP: 7.4
 * License: Apache-2.0
 *
 * Copy this file to wp-content/mu-plugins/ and put into wp-config.php what registering the source answered:
 *
 *   define( 'HERALD_ENDPOINT', 'https://news.example/api/v1/inbound/old.example' );
 *   define( 'HERALD_SECRET', 'whsec_...' );
 *
 * Saving a post only notes that something has changed; WordPress's own cron then sends the post as it stands at
 * that moment, so nobody waits, and what could not be sent is sent again. Messages are signed as the Standard
 * Webhooks say. Herald ignores what comes twice or late.
 */

defined( 'ABSPATH' ) || exit;

const HERALD_HOOK     = 'herald_send';
const HERALD_PROBLEM  = '_herald_problem';
const HERALD_PAUSES   = array( 10, 30, 120, 600, 1800, 3600, 3600, 7200, 14400, 28800 );
const HERALD_TIMEOUT  = 20;

/** Note that Herald must hear of a post, and have cron look at once. */
function herald_note( $post_id ) {
	if ( ! defined( 'HERALD_ENDPOINT' ) || ! defined( 'HERALD_SECRET' ) ) {
		return;
	}
	wp_schedule_single_event( time(), HERALD_HOOK, array( (int) $post_id, 0 ) );
	spawn_cron();
}

/** After terms and meta are saved too: only posts that readers see, or saw until now. */
function herald_after_save( $post_id, $post, $update, $before ) {
	if ( 'post' !== $post->post_type || wp_is_post_revision( $post_id ) || wp_is_post_autosave( $post_id ) ) {
		return;
	}
	$was_public = $before && 'publish' === $before->post_status;
	if ( 'publish' === $post->post_status || $was_public ) {
		herald_note( $post_id );
	}
}
add_action( 'wp_after_insert_post', 'herald_after_save', 10, 4 );

/** A post that is deleted for good was withdrawn when it went to the trash, unless it never went there. */
function herald_after_delete( $post_id, $post ) {
	if ( 'post' === $post->post_type && 'publish' === $post->post_status ) {
		herald_note( $post_id );
	}
}
add_action( 'deleted_post', 'herald_after_delete', 10, 2 );

/** Send the post as it stands now; try again later where Herald could not be reached. */
function herald_send( $post_id, $attempt ) {
	$response = herald_request( herald_message( (int) $post_id ) );
	$status   = is_wp_error( $response ) ? 0 : (int) wp_remote_retrieve_response_code( $response );
	if ( $status >= 200 && $status < 300 ) {
		delete_post_meta( $post_id, HERALD_PROBLEM );
		return;
	}
	$again = 0 === $status || $status >= 500 || 408 === $status || 429 === $status;
	if ( $again && isset( HERALD_PAUSES[ $attempt ] ) ) {
		$due = time() + HERALD_PAUSES[ $attempt ];
		wp_schedule_single_event( $due, HERALD_HOOK, array( (int) $post_id, $attempt + 1 ) );
		return;
	}
	update_post_meta( $post_id, HERALD_PROBLEM, herald_reason( $response, $status ) );
}
add_action( HERALD_HOOK, 'herald_send', 10, 2 );

/** What Herald is told: the post is public, or it is not. */
function herald_message( $post_id ) {
	// Taken before the post is read, so that an older state never looks newer.
	$now     = microtime( true );
	$sent_at = gmdate( 'Y-m-d\TH:i:s', (int) $now ) . sprintf( '.%03dZ', (int) ( ( $now - (int) $now ) * 1000 ) );
	clean_post_cache( $post_id );
	$post   = get_post( $post_id );
	$public = $post && 'post' === $post->post_type && 'publish' === $post->post_status && '' === $post->post_password;
	return array(
		'type'    => $public ? 'article.published' : 'article.withdrawn',
		'sent_at' => $sent_at,
		'post'    => $public ? herald_post( $post ) : array( 'id' => $post_id ),
	);
}

/** The post as readers see it. */
function herald_post( $post ) {
	$GLOBALS['post'] = $post; // phpcs:ignore WordPress.WP.GlobalVariablesOverride
	setup_postdata( $post );
	$told = array(
		'id'           => $post->ID,
		'title'        => $post->post_title,
		'slug'         => $post->post_name,
		'content'      => apply_filters( 'the_content', $post->post_content ),
		'excerpt'      => $post->post_excerpt,
		'link'         => get_permalink( $post ),
		'published_at' => get_post_time( 'Y-m-d\TH:i:s\Z', true, $post ),
		'categories'   => array(),
		'tags'         => array(),
		'authors'      => herald_authors( $post ),
	);
	foreach ( get_the_category( $post->ID ) as $term ) {
		$told['categories'][] = array( 'slug' => urldecode( $term->slug ), 'name' => $term->name );
	}
	foreach ( get_the_tags( $post->ID ) ?: array() as $term ) {
		$told['tags'][] = $term->name;
	}
	$thumbnail = get_post_thumbnail_id( $post );
	$address   = $thumbnail ? wp_get_attachment_image_url( $thumbnail, 'full' ) : false;
	if ( $address ) {
		$told['lead_image'] = array(
			'url'     => $address,
			'alt'     => mb_substr( (string) get_post_meta( $thumbnail, '_wp_attachment_image_alt', true ), 0, 1000 ),
			'caption' => mb_substr( wp_strip_all_tags( (string) wp_get_attachment_caption( $thumbnail ) ), 0, 1000 ),
		);
	}
	wp_reset_postdata();
	return $told;
}

/** The bylines: those of Co-Authors Plus where it is in use, else the post's one author. */
function herald_authors( $post ) {
	$people = function_exists( 'get_coauthors' ) ? get_coauthors( $post->ID ) : array( get_userdata( $post->post_author ) );
	$told   = array();
	foreach ( array_filter( $people ) as $person ) {
		$author = array( 'name' => mb_substr( wp_strip_all_tags( $person->display_name ), 0, 120 ) );
		$bio    = isset( $person->description ) ? wp_strip_all_tags( $person->description ) : '';
		$url    = isset( $person->user_url ) ? esc_url_raw( $person->user_url, array( 'http', 'https' ) ) : '';
		if ( '' !== trim( $bio ) ) {
			$author['bio'] = mb_substr( $bio, 0, 2000 );
		}
		if ( '' !== $url ) {
			$author['url'] = $url;
		}
		if ( '' !== trim( $author['name'] ) ) {
			$told[] = $author;
		}
	}
	return $told;
}

/** One signed request (Standard Webhooks 1.0.0, signature v1). */
function herald_request( $message ) {
	$body      = wp_json_encode( $message );
	$id        = 'msg_' . wp_generate_uuid4();
	$timestamp = (string) time();
	$key       = base64_decode( preg_replace( '/^whsec_/', '', HERALD_SECRET ) );
	$signature = base64_encode( hash_hmac( 'sha256', $id . '.' . $timestamp . '.' . $body, $key, true ) );
	return wp_remote_post(
		HERALD_ENDPOINT,
		array(
			'timeout'     => HERALD_TIMEOUT,
			'redirection' => 0,
			'body'        => $body,
			'headers'     => array(
				'Content-Type'      => 'application/json',
				'webhook-id'        => $id,
				'webhook-timestamp' => $timestamp,
				'webhook-signature' => 'v1,' . $signature,
			),
		)
	);
}

/** Why Herald did not take it, in its own words. */
function herald_reason( $response, $status ) {
	if ( is_wp_error( $response ) ) {
		return $response->get_error_message();
	}
	$problem = json_decode( wp_remote_retrieve_body( $response ), true );
	$field   = isset( $problem['field'] ) ? $problem['field'] . ': ' : '';
	$detail  = isset( $problem['detail'] ) ? $problem['detail'] : '';
	return $status . ' ' . $field . $detail;
}

/** On the list of posts: what Herald did not take, until it does. */
function herald_notice() {
	$screen = get_current_screen();
	if ( ! $screen || 'edit-post' !== $screen->id || ! current_user_can( 'edit_others_posts' ) ) {
		return;
	}
	$posts = get_posts(
		array(
			'meta_key'    => HERALD_PROBLEM, // phpcs:ignore WordPress.DB.SlowDBQuery
			'post_status' => 'any',
			'numberposts' => 5,
		)
	);
	foreach ( $posts as $post ) {
		printf(
			'<div class="notice notice-error"><p>Herald did not take “%s”: %s</p></div>',
			esc_html( $post->post_title ),
			esc_html( (string) get_post_meta( $post->ID, HERALD_PROBLEM, true ) )
		);
	}
}
add_action( 'admin_notices', 'herald_notice' );
