"""What is sent to Bluesky: text, link, hashtags, facets, card and correction, within the network's count."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from services.social.channels.bluesky.compose import (
    Frozen,
    Media,
    StrongRef,
    compose,
    compose_correction,
    length,
    record_key,
)
from services.social.channels.bluesky.fake_lexicon import count_graphemes, validate_post
from services.social.channels.bluesky.richtext import facets, graphemes, is_tag
from services.social.channels.bluesky.settings import BlueskySettings
from services.social.channels.plaintext import hashtags
from shared.contracts.articles import Article, Correction, Status

NOW = datetime(2026, 9, 1, 12, 30, 15, 250_000, tzinfo=UTC)
DID = "did:plc:newsroom2herald7fake3abc"
LINK = "https://news.example/2026/flood?utm_source=bluesky&utm_medium=social"
ROOT = StrongRef(uri=f"at://{DID}/app.bsky.feed.post/3kabcdefghij2", cid="bafyroot")
TID = re.compile(r"^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$")


def article(**changes: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "flood",
        "url": "https://news.example/2026/flood",
        "headline": "River rises",
        "standfirst": "The town prepares.",
        "body": "…",
        "body_html": "…",
        "section": "local",
        "language": "en",
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changes})


def connected(**changes: Any) -> BlueskySettings:
    return BlueskySettings(identifier="news.example", app_password=SecretStr("x"), **changes)


def composed(story: Article, media: Media | None = None, tags: int = 3) -> Frozen:
    return compose(
        story, repo=DID, key="k1", now=NOW, media=media, settings=connected(hashtags=tags)
    )


def covered(record: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    data = record["text"].encode()
    return [
        (
            data[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(),
            facet["features"][0],
        )
        for facet in record.get("facets", [])
    ]


def test_headline_standfirst_link_and_hashtags() -> None:
    record = composed(article(tags=("climate change", "2026", "Köln"))).record
    assert record["text"] == (
        f"River rises\n\nThe town prepares.\n\n{LINK}\n\n#ClimateChange #Köln"
    )
    assert record["createdAt"] == "2026-09-01T12:30:15.250Z"
    assert record["langs"] == ["en"]
    assert [text for text, _ in covered(record)] == [LINK, "#ClimateChange", "#Köln"]
    assert [feature.get("uri") or feature["tag"] for _, feature in covered(record)] == [
        LINK,
        "ClimateChange",
        "Köln",
    ]
    external = record["embed"]["external"]
    assert external == {"uri": LINK, "title": "River rises", "description": "The town prepares."}


def test_payload_is_the_same_for_the_same_intent_and_instant() -> None:
    assert composed(article()) == composed(article())
    assert Frozen.model_validate(composed(article()).model_dump(mode="json")) == composed(article())


def test_the_editors_words_replace_headline_and_standfirst() -> None:
    record = composed(
        article(social={"bluesky": "  Look at #this, https://other.example/x. "})
    ).record
    assert record["text"] == f"Look at #this, https://other.example/x.\n\n{LINK}"
    assert [text for text, _ in covered(record)] == ["#this", "https://other.example/x", LINK]


def test_a_link_the_editor_placed_is_not_added_again() -> None:
    words = "Read https://news.example/2026/flood now"
    assert composed(article(social={"bluesky": words})).record["text"] == words


def test_a_link_the_editor_placed_and_the_cut_took_comes_back() -> None:
    words = "word " * 80 + "https://news.example/2026/flood"
    assert LINK in composed(article(social={"bluesky": words})).record["text"]


def test_a_longer_address_that_begins_like_ours_is_another() -> None:
    words = "See https://news.example/2026/flood-archive"
    assert composed(article(social={"bluesky": words})).record["text"].endswith(LINK)


def test_hashtags_never_push_text_out() -> None:
    story = article(headline="x" * 205, standfirst="", tags=("a" * 20, "b" * 60, "c"))
    assert composed(story).record["text"].endswith(f"{LINK}\n\n#{'A' + 'a' * 19}")
    assert composed(story, tags=0).record["text"].endswith(LINK)


def test_a_hashtag_already_in_the_text_is_not_repeated() -> None:
    story = article(social={"bluesky": "All about #köln"}, tags=("Köln", "Rhine"))
    assert composed(story).record["text"].endswith(f"{LINK}\n\n#Rhine")


def test_an_address_too_long_for_the_text_is_shown_by_its_host() -> None:
    story = article(url="https://news.example/" + "long/" * 60)
    record = composed(story).record
    ((text, feature),) = covered(record)
    assert text == "news.example"
    assert feature["uri"].startswith(story.url)
    assert record["embed"]["external"]["uri"] == feature["uri"]


def test_an_image_post_carries_the_alt_text_and_the_link_in_the_text() -> None:
    media = Media(
        use="image", url="https://news.example/m/1.jpg", sha256="0" * 64, size=10,
        media_type="image/jpeg", alt="A river", width=1600, height=900,
    )  # fmt: skip
    frozen = composed(article(), media)
    assert frozen.media == media
    assert frozen.record["embed"]["images"] == [
        {"alt": "A river", "aspectRatio": {"width": 1600, "height": 900}}
    ]
    assert LINK in frozen.record["text"]


def test_own_query_and_fragment_stay() -> None:
    uri = composed(article(url="https://news.example/a?page=2#top")).record["embed"]["external"][
        "uri"
    ]
    assert uri == "https://news.example/a?page=2&utm_source=bluesky&utm_medium=social#top"


def test_right_to_left_text_keeps_its_order() -> None:
    record = composed(article(headline="ارتفع منسوب النهر", standfirst="", language="ar")).record
    assert record["text"] == f"ارتفع منسوب النهر\n\n{LINK}"


def test_a_correction_says_so_in_a_reply() -> None:
    notices = (
        Correction(at=NOW, kind="correction", text="The first."),
        Correction(at=NOW, kind="clarification", text="The river is the Rhine. " * 30),
    )
    frozen = compose_correction(
        article(corrections=notices), key="k2", now=NOW, root=ROOT, told=1,
        settings=connected(labels={"clarification": "Klarstellung"}),
    )  # fmt: skip
    assert frozen.repo == DID
    assert frozen.record["text"].startswith("Klarstellung: The river is the Rhine.")
    assert frozen.record["text"].endswith(LINK)
    assert length(frozen.record["text"]) <= 300
    assert frozen.record["reply"] == {"root": ROOT.model_dump(), "parent": ROOT.model_dump()}
    assert "embed" not in frozen.record


def test_corrections_that_follow_each_other_quickly_are_all_said() -> None:
    notices = tuple(
        Correction(at=NOW, kind="correction", text=f"It was {day}.")
        for day in ("Monday", "Tuesday", "Wednesday")
    )
    frozen = compose_correction(
        article(corrections=notices), key="k2", now=NOW, root=ROOT, told=1,
        settings=connected(labels={}),
    )  # fmt: skip
    said = "Correction: It was Wednesday.\n\nCorrection: It was Tuesday."
    assert frozen.record["text"] == f"{said}\n\n{LINK}"


def test_the_vector_of_the_atproto_documentation() -> None:
    text = (
        "✨ example mentioning @atproto.com to share the URL 👨‍❤️‍👨 "
        "https://en.wikipedia.org/wiki/CBOR."
    )
    (facet,) = facets(text, None)
    assert facet["index"] == {"byteStart": 74, "byteEnd": 108}


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("climate change", "#ClimateChange"), ("COVID-19", "#COVID19"), ("2026", None), ("—", None),
        ("हिन्दी समाचार", "#हिन्दीसमाचार"), ("x" * 65, None), ("العالم العربي", "#العالمالعربي"),
    ],
)  # fmt: skip
def test_hashtags(tag: str, expected: str | None) -> None:
    assert hashtags([tag], "", is_tag) == ([expected] if expected else [])


@given(st.text(max_size=80), st.integers(0, 4_000_000_000))
def test_record_keys_are_tids_in_the_order_of_time(key: str, seconds: int) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert TID.match(record_key(key, now))
    assert record_key(key, now) == record_key(key, now)
    assert record_key(key, now) < record_key("another", now + timedelta(milliseconds=1))


ATOMS = st.sampled_from(
    ["👨‍❤️‍👨", "👩🏽‍🚒", "🇩🇪", "क्षि", "e\u0301", "\u200d", "\ufe0f", "مرحبا ", "\u200f", "東京、", "한", "\r\n", "\n",
     " ", "#Tag", "#tag\u200d", "＃標籤", "https://x.example/a?b=c ", "https://x.example/\u0301",
     "@desk.example ", "\u0600", "…", "z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f", "Sentence. ", "word "]
)  # fmt: skip
TEXTS = st.lists(st.one_of(ATOMS, st.text(max_size=8)), max_size=150).map("".join)
PATHS = st.text(alphabet="abcdef-/", max_size=260)


def test_bytes_run_out_before_graphemes() -> None:
    family = "👨‍👩‍👧‍👦"
    assert length(family * 120) == 300
    assert length(family * 121) > 300
    text = composed(article(social={"bluesky": family * 250})).record["text"]
    assert len(text.encode()) <= 3000
    assert text.startswith(family * 90)
    assert text.endswith(f"{family}…\n\n{LINK}")


def test_a_record_key_never_changes() -> None:
    assert record_key("a1:bluesky:post:1", NOW) == "3muhgeex7yhtu"


@example("", "https://x.example/\x1fa https://x.example/b\ufeff", [], True, "")
@settings(max_examples=300)
@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=4), st.booleans(), PATHS)
def test_always_within_the_networks_count_and_whole(
    headline: str, words: str, tags: list[str], override: bool, path: str
) -> None:
    story = article(
        headline=headline,
        standfirst=words,
        social={"bluesky": words} if override else {},
        tags=tuple(tags),
        url=f"https://news.example/{path}",
    )
    record = composed(story).record
    text = record["text"]
    validate_post(record, {}, lambda uri, cid: False)
    bounds = {0, *(len(text[: cut.end()].encode()) for cut in regex.finditer(r"\X", text))}
    for facet in record["facets"]:
        assert {facet["index"]["byteStart"], facet["index"]["byteEnd"]} <= bounds
    shown = covered(record)
    for shown_text, feature in shown:
        if "tag" in feature:
            assert shown_text[1:] == feature["tag"]
        else:
            assert shown_text in {feature["uri"], "news.example", story.url}
    targets = [feature["uri"] for _, feature in shown if "uri" in feature]
    assert any(uri.startswith(story.url) for uri in targets)


@given(TEXTS)
def test_the_two_counts_agree(text: str) -> None:
    assert graphemes(text) == count_graphemes(text)


@given(TEXTS)
def test_length_is_over_the_limit_exactly_when_the_network_says_so(text: str) -> None:
    refused = count_graphemes(text) > 300 or len(text.encode()) > 3000
    assert (length(text) > 300) == refused
