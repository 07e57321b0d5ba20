"""Slugs: always valid, always within their length, always one that is left to try."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain.fields import SLUG, SLUG_LENGTH
from services.publishing.domain.slugs import NUMBERED, candidates, slug_from

ID = "01890000-0000-7000-8000-0123456789ab"


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("Harbour bridge reopens", "harbour-bridge-reopens"),
        ("  «Grüße», it’s Ærø & Łódź!  ", "grusse-its-aero-lodz"),
        ("50% off: don't", "50-off-dont"),
        ("ﬁne ① print", "fine-1-print"),
        ("İstanbul", "istanbul"),
        ("東京の橋", "article-456789ab"),
        ("", "article-456789ab"),
        ("—", "article-456789ab"),
    ],
)
def test_known_headlines(headline: str, slug: str) -> None:
    assert slug_from(headline, ID) == slug


def test_a_long_headline_is_cut_between_words() -> None:
    slug = slug_from("word " * 60, ID)
    assert slug == "-".join(["word"] * 24)
    assert len(slug_from("x" * 300, ID)) == SLUG_LENGTH


@given(st.text(max_size=300))
def test_every_headline_makes_valid_different_candidates(headline: str) -> None:
    offered = list(candidates(slug_from(headline, ID), ID))
    assert len(offered) == len(set(offered)) == NUMBERED + 1
    for slug in offered:
        assert re.fullmatch(SLUG, slug)
        assert len(slug) <= SLUG_LENGTH


@given(st.from_regex(r"[a-z0-9]{1,39}(-[a-z0-9]{1,39}){0,2}", fullmatch=True))
def test_a_slug_is_its_own_slug(slug: str) -> None:
    assert slug_from(slug, ID) == slug
