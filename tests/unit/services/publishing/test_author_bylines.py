"""Bylines: a name, or a profile whose words stand in where nothing is written inline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.publishing.domain.authors import (
    Author,
    BylineText,
    NewAuthor,
    ProfileText,
    printed,
)
from services.publishing.domain.stored_pictures import StoredRendition
from shared.contracts.articles import AuthorLink, Byline

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ORIGIN = "https://news.example"
ID = "ab" * 16
PROFILE = ProfileText.model_validate(
    {
        "name": "Ada Quill",
        "role": "Reporter",
        "bio": "Writes.",
        "url": "https://ada.example",
        "portrait": {"media_id": ID, "alt": "Ada at her desk"},
        "links": [{"name": "Mastodon", "url": "https://social.example/@ada"}],
    }
)
ADA = Author(
    "ada-quill",
    PROFILE,
    (StoredRendition("w400", "w400.jpg", 400, 300, "image/jpeg", 9),),
    1,
    NOW,
    NOW,
)


def test_a_profile_is_printed() -> None:
    byline = printed(BylineText(author="ada-quill"), {"ada-quill": ADA}, ORIGIN)
    assert (byline.name, byline.role, byline.bio) == ("Ada Quill", "Reporter", "Writes.")
    assert (byline.slug, byline.url) == ("ada-quill", "https://ada.example")
    assert byline.links == (AuthorLink(name="Mastodon", url="https://social.example/@ada"),)
    assert byline.portrait is not None
    assert byline.portrait.alt == "Ada at her desk"
    assert byline.portrait.renditions[0].url == f"{ORIGIN}/media/{ID}/w400.jpg"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["A. Q.", "Somebody"]),
            "role": st.sampled_from(["Guest", "Editor"]),
            "bio": st.just("Only here."),
            "url": st.just("https://other.example"),
        },
    )
)
def test_what_is_written_inline_stands_before_the_profile(inline: dict[str, str]) -> None:
    byline = printed(BylineText(author="ada-quill", **inline), {"ada-quill": ADA}, ORIGIN)
    for name in ("name", "role", "bio", "url"):
        assert getattr(byline, name) == inline.get(name, getattr(PROFILE, name))


def test_a_byline_without_a_profile_is_as_it_was_written() -> None:
    written = BylineText(name="Bo", role="Photos")
    assert printed(written, {"ada-quill": ADA}, ORIGIN) == Byline(name="Bo", role="Photos")


@pytest.mark.parametrize(
    ("byline", "field"),
    [
        ({}, "name"),
        ({"role": "Reporter"}, "name"),
        ({"name": None}, "name"),
        ({"author": None}, "name"),
        ({"author": "Not a slug"}, "author"),
        ({"author": ""}, "author"),
        ({"author": "ada", "name": ""}, "name"),
        ({"name": "A", "portrait": {}}, "portrait"),
    ],
)
def test_nobody_is_no_byline(byline: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BylineText.model_validate(byline)
    assert caught.value.errors()[0]["loc"] == (field,)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"slug": "Ada"}, "slug"),
        ({"portrait": {"media_id": ID}}, "portrait"),
        ({"portrait": {"media_id": ID, "alt": ""}}, "portrait"),
        ({"links": [{"name": "x", "url": "javascript:x"}]}, "links"),
        ({"links": [{"name": "x", "url": "https://x.example"}] * 21}, "links"),
        ({"email": "a@b.example"}, "email"),
    ],
)
def test_what_a_new_profile_must_be(fields: dict[str, Any], field: str) -> None:
    good = {"slug": "ada-quill", "name": "Ada"}
    assert NewAuthor.model_validate(good).profile == ProfileText(name="Ada")
    with pytest.raises(ValidationError) as caught:
        NewAuthor.model_validate(good | fields)
    assert caught.value.errors()[0]["loc"][0] == field


def test_a_new_profile_needs_its_slug_and_a_name() -> None:
    with pytest.raises(ValidationError) as caught:
        NewAuthor.model_validate({})
    assert {error["loc"] for error in caught.value.errors()} == {("slug",), ("name",)}


def test_a_change_touches_only_what_it_names() -> None:
    after = PROFILE.amended(ProfileText.model_validate({"role": "Editor", "portrait": None}))
    assert after == PROFILE.model_copy(update={"role": "Editor", "portrait": None})
    for wrong in ({"name": None}, {"name": ""}, {"slug": "other"}):
        with pytest.raises(ValidationError):
            ProfileText.model_validate(wrong)


def test_a_stored_profile_comes_back_the_same() -> None:
    assert ProfileText.stored(PROFILE.model_dump() | {"_id": "x", "revision": 3}) == PROFILE
