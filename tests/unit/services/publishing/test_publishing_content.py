"""What may be written: limits, shorthands, and that what is stored comes back the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.publishing.domain.content import BODY_LENGTH, BylineText, Content


def test_a_bare_string_is_a_byline() -> None:
    content = Content.model_validate({"bylines": ["Ada Quill", {"name": "Bo", "role": "Photos"}]})
    assert content.bylines == (BylineText(name="Ada Quill"), BylineText(name="Bo", role="Photos"))


@pytest.mark.parametrize(
    "outlet",
    [
        *("news_sitemap", "feed", "email", "social", "webhook", "social/mastodon"),
        *("social/bluesky/news.example", "webhook/partner-1"),
    ],
)
def test_outlets_that_can_be_skipped(outlet: str) -> None:
    assert Content.model_validate({"skip_outlets": [outlet]}).skip_outlets == (outlet,)


@pytest.mark.parametrize("outlet", ["", "fax", "site/x", "social/", "social/a/b/c", "social/a b"])
def test_outlets_that_do_not_exist(outlet: str) -> None:
    with pytest.raises(ValidationError):
        Content.model_validate({"skip_outlets": [outlet]})


def test_the_site_cannot_be_skipped() -> None:
    with pytest.raises(ValidationError, match="every other outlet links to the page"):
        Content.model_validate({"skip_outlets": ["email", "site"]})


def test_a_draft_from_before_that_rule_is_still_read() -> None:
    stored = Content().model_dump() | {"skip_outlets": ["site"]}
    assert Content.stored(stored).skip_outlets == ("site",)


def test_the_longest_body() -> None:
    assert Content(body="x" * BODY_LENGTH)
    with pytest.raises(ValidationError):
        Content(body="x" * (BODY_LENGTH + 1))


def test_an_edit_changes_only_what_it_names() -> None:
    before = Content.model_validate({"headline": "H", "section": "city", "tags": ["a"]})
    after = before.amended(Content.model_validate({"section": None}))
    assert after == before.model_copy(update={"section": None})
    assert before.amended(Content()) == before


def test_a_draft_without_anything_comes_back_from_the_database() -> None:
    assert Content.stored(Content().model_dump()) == Content()


WRITTEN = st.fixed_dictionaries(
    {},
    optional={
        "headline": st.text(alphabet="abc é", min_size=1).filter(str.strip),
        "body": st.text(alphabet="abc\n*"),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), max_size=20),
        "bylines": st.lists(
            st.one_of(st.just("Ada"), st.just({"name": "Bo", "url": "https://bo.example"}))
        ).filter(lambda names: len(names) <= 20),
        "lead_image": st.just({"media_id": "0" * 32, "alt": "x", "focus": [0.1, 0.9]}),
        "skip_outlets": st.lists(st.sampled_from(["feed", "social/x"])),
        "social": st.dictionaries(st.sampled_from(["mastodon", "bluesky"]), st.just("x")),
        "embargo_until": st.just("2026-11-23T09:30:00.123456+02:00"),
    },
)


@given(WRITTEN)
def test_what_is_stored_comes_back_the_same(fields: dict[str, Any]) -> None:
    content = Content.model_validate(fields)
    lists = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in content.model_dump().items()
    }
    again = Content.stored(lists)
    assert again == content
    assert again.model_dump() == content.model_dump()


@given(st.text())
def test_any_headline_is_taken_or_refused(headline: str) -> None:
    try:
        taken = Content.model_validate({"headline": headline}).headline
    except ValidationError:
        return
    assert taken == " ".join(taken.split())
    assert not any(ord(char) < 32 for char in taken)
    assert 1 <= len(taken) <= 300


@pytest.mark.parametrize("override", ["\u202d", "\u202e"])
def test_no_text_is_turned_around(override: str) -> None:
    for field in ("headline", "body", "canonical_url"):
        with pytest.raises(ValidationError):
            Content.model_validate({field: f"https://a.example/{override}x"})
    assert Content(headline="\u2067שלום\u2069 hello")


@given(st.text())
def test_any_address_is_taken_or_refused(url: str) -> None:
    try:
        taken = Content.model_validate({"canonical_url": url}).canonical_url
    except ValidationError:
        return
    assert taken is not None
    assert taken.startswith(("http://", "https://"))


@given(st.text())
def test_any_language_is_taken_or_refused(language: str) -> None:
    try:
        taken = Content.model_validate({"language": language}).language
    except ValidationError:
        return
    assert taken is not None
    assert taken.isascii()
