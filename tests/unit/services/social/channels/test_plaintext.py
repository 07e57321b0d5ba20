"""Words before any markup: hashtags of letters and digits, addresses found whole, nothing visible cleaned away."""

from __future__ import annotations

import regex
from hypothesis import given
from hypothesis import strategies as st

from services.social.channels.plaintext import address, cleaned, hashtags


def test_hashtags_are_camel_case_letters_and_digits() -> None:
    tags = ("climate change", "COVID-19", "2026", "straßen bahn", "जलवायु", "Climate  Change", "!")
    made = hashtags(tags, "no tag yet")
    assert made == ["#ClimateChange", "#COVID19", "#StraßenBahn", "#जलवायु"]


def test_hashtag_in_the_text_is_not_repeated() -> None:
    assert hashtags(("climate", "budget"), "We need #Climate action") == ["#Budget"]


@given(st.lists(st.text(max_size=20), max_size=6))
def test_hashtags_hold_nothing_but_letters_marks_and_digits(tags: list[str]) -> None:
    for tag in hashtags(tuple(tags), ""):
        assert regex.fullmatch(r"#[\p{L}\p{M}\p{Nd}]+", tag)


def test_address_is_not_found_as_the_beginning_of_a_longer_one() -> None:
    mine = address("https://a.org/x")
    assert mine.search("see https://a.org/x.")
    assert mine.search("(https://a.org/x)")
    assert not mine.search("https://a.org/x-2")
    assert not mine.search("https://a.org/x/y")
    assert not mine.search("https://a.org/x.html")


@given(st.text())
def test_cleaning_again_changes_nothing_and_keeps_what_people_see(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    seen = regex.compile(r"[\p{L}\p{M}\p{N}\p{P}\p{S}\u200d\u200e\u200f\u2066-\u2069]")
    assert seen.findall(once) == seen.findall(text)
