"""Each foreign format is read whole, and whatever else comes is refused in words, never with a crash."""

from __future__ import annotations

import io
import random
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.publishing.domain.foreign import front_matter, ghost, wxr
from services.publishing.domain.foreign.mapping import Sections, import_body
from services.publishing.domain.foreign.model import (
    ForeignArticle,
    ForeignAuthor,
    LeftOut,
    Term,
    Unreadable,
)

WXR = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Old</title><language>en-US</language>
<wp:wxr_version>1.2</wp:wxr_version><wp:base_site_url>https://old.example</wp:base_site_url>
<wp:base_blog_url>https://old.example</wp:base_blog_url>
<wp:author><wp:author_id>1</wp:author_id><wp:author_login><![CDATA[ana]]></wp:author_login>
<wp:author_display_name><![CDATA[Ana Quill]]></wp:author_display_name></wp:author>
<item><title><![CDATA[Bridge &amp; <em>tide</em>]]></title><link>https://old.example/2019/05/bridge/</link>
<pubDate>Fri, 03 May 2019 10:00:00 +0000</pubDate><dc:creator><![CDATA[ana]]></dc:creator>
<guid isPermaLink="false">https://old.example/?p=12</guid>
<content:encoded><![CDATA[One.

<img src="https://old.example/wp-content/uploads/a.jpg" alt="A" />]]></content:encoded>
<excerpt:encoded><![CDATA[In <b>short</b>.]]></excerpt:encoded><wp:post_id>12</wp:post_id>
<wp:post_date_gmt>2019-05-03 10:00:00</wp:post_date_gmt>
<wp:post_modified_gmt>2019-05-04 11:30:00</wp:post_modified_gmt>
<wp:post_name>bridge</wp:post_name><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>
<category domain="category" nicename="local"><![CDATA[Local]]></category>
<category domain="category" nicename="city"><![CDATA[City life]]></category>
<category domain="post_tag" nicename="b"><![CDATA[bridges]]></category>
<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>13</wp:meta_value></wp:postmeta>
<wp:postmeta><wp:meta_key>_wp_old_slug</wp:meta_key><wp:meta_value>brigde</wp:meta_value></wp:postmeta>
<wp:postmeta><wp:meta_key>_yoast_wpseo_metadesc</wp:meta_key><wp:meta_value>Found</wp:meta_value></wp:postmeta>
</item>
<item><title>Later</title><wp:post_id>14</wp:post_id><wp:status>future</wp:status><wp:post_type>post</wp:post_type>
<wp:post_date_gmt>2031-01-01 00:00:00</wp:post_date_gmt></item>
<item><title>Secret</title><wp:post_id>15</wp:post_id><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>
<wp:post_password>x</wp:post_password><wp:post_date_gmt>2020-01-01 00:00:00</wp:post_date_gmt></item>
<item><title>About</title><wp:post_id>16</wp:post_id><wp:status>publish</wp:status><wp:post_type>page</wp:post_type></item>
<item><title>Gone</title><wp:post_id>17</wp:post_id><wp:status>trash</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>pic</title><wp:post_id>13</wp:post_id><wp:post_type>attachment</wp:post_type><wp:status>inherit</wp:status>
<wp:attachment_url>https://old.example/wp-content/uploads/lead.jpg</wp:attachment_url>
<excerpt:encoded><![CDATA[At dusk]]></excerpt:encoded>
<wp:postmeta><wp:meta_key>_wp_attachment_image_alt</wp:meta_key><wp:meta_value>A bridge</wp:meta_value></wp:postmeta>
</item></channel></rss>
"""

GHOST: dict[str, Any] = {
    "db": [
        {
            "meta": {"version": "5.80.0"},
            "data": {
                "posts": [
                    {
                        "id": "a1",
                        "title": "Tide",
                        "slug": "tide",
                        "html": '<p>One <b>two</b>.</p><img src="__GHOST_URL__/content/images/a.jpg">',
                        "feature_image": "__GHOST_URL__/content/images/f.jpg",
                        "type": "post",
                        "status": "published",
                        "visibility": "paid",
                        "published_at": "2019-05-03T10:00:00.000Z",
                        "updated_at": "2019-05-04T10:00:00.000Z",
                        "custom_excerpt": "It rises.",
                    },
                    {
                        "id": "a2",
                        "title": "Mail",
                        "type": "post",
                        "status": "sent",
                        "html": "<p>x</p>",
                    },
                    {"id": "a3", "title": "About", "type": "page", "status": "published"},
                    {"id": "a4", "title": "Old", "status": "published", "lexical": "{}"},
                    {"id": "a5", "title": "Text", "status": "draft", "plaintext": "a & <b>\n\nc"},
                ],
                "posts_meta": [
                    {"post_id": "a1", "feature_image_alt": "Water", "og_title": "Shared"}
                ],
                "tags": [
                    {"id": "t1", "name": "World", "slug": "world"},
                    {
                        "id": "t2",
                        "name": "#hidden",
                        "slug": "hash-hidden",
                        "visibility": "internal",
                    },
                    {"id": "t3", "name": "Sea", "slug": "sea"},
                ],
                "posts_tags": [
                    {"post_id": "a1", "tag_id": "t3", "sort_order": 1},
                    {"post_id": "a1", "tag_id": "t1", "sort_order": 0},
                    {"post_id": "a1", "tag_id": "t2", "sort_order": 2},
                ],
                "users": [{"id": "u1", "name": "Bo Reed", "slug": "bo", "bio": "Writes."}],
                "posts_authors": [{"post_id": "a1", "author_id": "u1", "sort_order": 0}],
            },
        }
    ]
}


def read_wxr(text: str | bytes) -> list[Any]:
    raw = text.encode() if isinstance(text, str) else text
    return list(wxr.read(lambda: io.BytesIO(raw)))


def test_a_wordpress_export() -> None:
    found = read_wxr(WXR)
    post = found[0]
    assert isinstance(post, ForeignArticle)
    assert (post.external_id, post.headline, post.slug) == ("12", "Bridge & tide", "bridge")
    assert post.body == "One.\n\n![A](https://old.example/wp-content/uploads/a.jpg)"
    assert post.images == ("https://old.example/wp-content/uploads/a.jpg",)
    assert post.summary == "In short."
    assert post.published_at == datetime(2019, 5, 3, 10, tzinfo=UTC)
    assert post.updated_at == datetime(2019, 5, 4, 11, 30, tzinfo=UTC)
    assert post.former_paths == ("/2019/05/bridge/", "/?p=12", "/2019/05/brigde/")
    assert post.terms == (Term("local", "Local"), Term("city", "City life"))
    assert post.tags == ("bridges",)
    assert post.authors == (ForeignAuthor("Ana Quill"),)
    assert post.lead_image is not None
    assert (post.lead_image.alt, post.lead_image.caption) == ("A bridge", "At dusk")
    assert post.search_description == "Found"
    later, secret, *rest = found[1:]
    assert (later.status, later.published_at) == ("draft", None)
    assert "was scheduled there for 2031-01-01" in later.notes[0]
    assert (secret.status, secret.notes) == (
        "draft",
        ("was behind a password and is a draft here",),
    )
    assert [one.reason for one in rest] == [
        "is no article: page",
        "is in the status trash",
        "is no article: attachment",
    ]
    assert wxr.read_site(lambda: io.BytesIO(WXR.encode())).language == "en-US"


def test_stray_control_bytes_do_not_stop_a_wordpress_export() -> None:
    assert len(read_wxr(WXR.replace("One.", "O\x08n\x0ce."))) == len(read_wxr(WXR))


BOMB = (
    '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>'
    '<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><item>&b;</item></channel></rss>'
)
LEAK = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel><item>&a;</item></channel></rss>'


@pytest.mark.parametrize("document", [BOMB, LEAK])
def test_a_document_with_entities_is_refused(document: str) -> None:
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read_wxr(document)


@pytest.mark.parametrize("document", ["", "no", "<a/>", WXR[:900], "<rss><channel><item></rss>"])
def test_what_is_no_wordpress_export_is_refused(document: str) -> None:
    with pytest.raises(Unreadable, match=r"^it is n"):
        read_wxr(document)


def _mutated(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 200)]
        elif kind == 2:
            data[at:at] = data[chance.randrange(len(data)) :][: chance.randint(1, 200)]
        else:
            data[at:at] = chance.choice(
                [b"<!--", b"]]>", b"&x;", b"null", b"{", b"\x00", b"\xff", b"[]"]
            )
    return bytes(data)


@given(st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_mutated_wordpress_export_is_read_or_refused_in_words(chance: random.Random) -> None:
    with suppress(Unreadable):
        for one in read_wxr(_mutated(WXR.encode(), chance)):
            assert isinstance(one, LeftOut) or import_body(one, Sections({}))


@given(st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_mutated_ghost_export_is_read_or_refused_in_words(chance: random.Random) -> None:
    with suppress(Unreadable):
        for one in ghost.read(_mutated(orjson.dumps(GHOST), chance)):
            assert isinstance(one, LeftOut) or import_body(one, Sections({}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


POST_FIELDS = [
    *("id", "title", "html", "slug", "status", "type", "tags", "authors", "published_at", "url"),
    *("updated_at", "feature_image", "visibility", "locale", "plaintext", "canonical_url"),
]


@given(st.dictionaries(st.sampled_from(POST_FIELDS), JSON))
def test_a_post_of_any_values_is_read_or_left_out(post: dict[str, Any]) -> None:
    found = ghost.article_of(post)
    assert isinstance(found, LeftOut) or import_body(found, Sections({}))


def test_a_ghost_export() -> None:
    tide, mail, page, old, text = ghost.read(orjson.dumps(GHOST), "https://old.example/")
    assert isinstance(tide, ForeignArticle)
    assert tide.body == "One **two**.\n\n![](https://old.example/content/images/a.jpg)"
    assert tide.access == "premium"
    assert tide.terms == (Term("world", "World"), Term("sea", "Sea"))
    assert tide.authors == (ForeignAuthor("Bo Reed", slug="bo", bio="Writes."),)
    assert tide.lead_image is not None
    assert (tide.lead_image.url, tide.lead_image.alt) == (
        "https://old.example/content/images/f.jpg",
        "Water",
    )
    assert (tide.standfirst, tide.share_title) == ("It rises.", "Shared")
    assert tide.former_paths == ("/tide/",)
    assert isinstance(mail, ForeignArticle)
    assert (mail.status, mail.published_at) == ("draft", None)
    assert page == LeftOut("a3", "About", "is no article: page")
    assert isinstance(old, LeftOut)
    assert old.wrong
    assert isinstance(text, ForeignArticle)
    assert text.body == "a & \\<b>\n\nc"


def test_ghost_with_dates_in_its_addresses() -> None:
    first = next(ghost.read(orjson.dumps(GHOST), permalink="/{primary_tag}/{year}/{month}/{slug}/"))
    assert isinstance(first, ForeignArticle)
    assert first.former_paths == ("/world/2019/05/tide/",)


def test_front_matter_of_a_static_site() -> None:
    matter = front_matter.take_apart(
        b"---\ntitle: A\ndate: 2019-05-03T12:00:00+02:00\ncategories: [City]\ntags: [a, b]\n"
        b"author: Ana\naliases: [/old/a/]\nimage: /img/a.jpg\n---\r\n\nText ![x](b.jpg)\n"
    )
    article = front_matter.article_of("posts/a", matter)
    assert article.status == "published"
    assert article.published_at == datetime(2019, 5, 3, 10, tzinfo=UTC)
    assert article.former_paths == ("/old/a/",)
    assert article.images == ("b.jpg",)
    assert article.body == "Text ![x](b.jpg)"
    body, notes = import_body(article, Sections({"city": "City"}))
    assert (body["section"], body["tags"], notes) == ("city", ["a", "b"], [])


YAML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\x85\u2028\u2029"), max_size=40
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), st.one_of(YAML_TEXT, st.lists(YAML_TEXT,
    max_size=3), st.booleans(), st.integers(-5, 5), st.none())), st.text(st.characters(codec="utf-8")))  # fmt: skip
def test_what_is_put_together_is_taken_apart_the_same(fields: dict[str, Any], body: str) -> None:
    body = body.strip()
    apart = front_matter.take_apart(front_matter.put_together(fields, body).encode())
    assert apart.fields == fields
    assert apart.body == body


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"---\na: [\n---\n", b"---\n- a\n---\n", b"\xff\xfe", b"---\n!!python/x y\n---\n"],
)
def test_what_is_no_front_matter_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        front_matter.take_apart(content)


def test_sections_are_chosen_by_map_then_by_name_then_by_default() -> None:
    terms = (Term("local", "Local"), Term("city", "City life"))
    known = {"city": "City", "world": "World"}
    assert Sections(known).choose(terms) == ("city", terms[1])
    assert Sections(known, {"Local": "world"}).choose(terms) == ("world", terms[0])
    assert Sections(known, {}, "world").choose(()) == ("world", None)
    assert Sections(known).choose(terms[:1]) == (None, None)


def test_what_does_not_fit_is_noted() -> None:
    article = ForeignArticle(
        "1",
        "A",
        "b",
        "draft",
        summary="x" * 3000,
        tags=("t" * 61, *map(str, range(25))),
        language="xx-no",
    )
    body, notes = import_body(article, Sections({}))
    assert len(body["summary"]) == 2000
    assert len(body["tags"]) == 20
    assert len(notes) == 4
