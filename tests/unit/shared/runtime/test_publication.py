"""The publication file: what is wrong is refused by name when it is read, not when a page is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.runtime.publication import (
    Publication,
    is_right_to_left,
    known_language,
    load_publication,
    written_language,
)

GOOD: dict[str, Any] = {
    "name": "The Harbour Post",
    "language": "pt-BR",
    "time_zone": "Europe/Lisbon",
    "sections": [{"slug": "city", "name": "City"}],
}


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "publication.toml"
    path.write_text('name = "Pošta"\n[[sections]]\nslug = "city"\nname = "City"\n', "utf-8")
    publication = load_publication(path)
    assert (publication.name, publication.language, publication.time_zone) == ("Pošta", "en", "UTC")
    assert publication.section_name("city") == "City"
    assert publication.section_name("gone") == "gone"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("language", "xx"),
        ("language", "en_US"),
        ("language", "en.utf8"),
        ("language", 'en@"x'),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "Europe"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", ""),
        ("sections", []),
        ("sections", [{"slug": "Not A Slug", "name": "x"}]),
        ("follow", [{"name": "x", "url": "javascript:alert(1)"}]),
        ("support_url", "nowhere"),
        ("tagine", "a misspelt name"),
    ],
)
def test_a_wrong_value_names_its_field(field: str, value: object) -> None:
    assert Publication.model_validate(GOOD).name == "The Harbour Post"
    with pytest.raises(ValidationError) as caught:
        Publication.model_validate({**GOOD, field: value})
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "sr-Latn", "EN"])
def test_language_tags_of_bcp_47_are_known(tag: str) -> None:
    assert known_language(tag)


@given(st.text(max_size=20))
def test_whatever_is_known_as_a_language_is_harmless_in_an_attribute(tag: str) -> None:
    if known_language(tag):
        assert tag.isascii()
        assert tag.replace("-", "").isalnum()
    assert is_right_to_left(tag) in {True, False}


def test_the_direction_of_writing() -> None:
    assert [is_right_to_left(tag) for tag in ("ar", "he-IL", "en", "??")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("ZH-hANT-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-ch-1996", "de-CH-1996"),
        ("en-X-ABCD-us", "en-x-abcd-us"),
    ],
)
def test_a_language_is_written_as_is_the_custom(tag: str, written: str) -> None:
    assert written_language(tag) == written
