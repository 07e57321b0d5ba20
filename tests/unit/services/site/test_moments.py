"""Dates in the article's language and the paper's zone, in every language CLDR knows."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.site.domain.moments import day, locale_of, moment
from services.site.domain.wording import wording

LISBON = ZoneInfo("Europe/Lisbon")


@pytest.mark.parametrize(
    ("at", "machine", "hour"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T01:30:00+01:00", "01:30 WEST"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T01:30:00+00:00", "01:30 WET"),
    ],
)
def test_the_repeated_hour_of_autumn_says_which_one(at: datetime, machine: str, hour: str) -> None:
    made = moment(at, locale_of("en-GB", "en"), LISBON)
    assert made.machine == machine
    assert made.words.endswith(hour)
    assert "25 October 2026" in made.words


def test_an_unknown_language_falls_back() -> None:
    assert str(locale_of("xx-nonsense", "pt-BR")) == "pt_BR"
    assert wording("xx", "ar") is wording("ar", "en")
    assert wording("xx", "yy") is wording("en", "en")
    assert wording("AR-eg", "en") is wording("ar", "en")


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),
    st.sampled_from(["en", "en-GB", "ar", "he", "fr", "de", "ja", "zh-Hant", "pt-BR", "fa", "bg"]),
)
def test_no_placeholder_is_left(at: datetime, language: str) -> None:
    aware = at.replace(tzinfo=UTC)
    locale = locale_of(language, "en")
    for made in (moment(aware, locale, LISBON), day(aware, locale, LISBON)):
        assert "{" not in made.words
        assert datetime.fromisoformat(made.machine).date() == aware.astimezone(LISBON).date()


@pytest.mark.parametrize("language", ["en", "ar", "pt"])
def test_every_language_places_the_names(language: str) -> None:
    assert "{names}" in wording(language, "en").by
