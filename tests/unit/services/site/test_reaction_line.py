"""The line below an article that tells what readers did: in its language, without noughts, and not always there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from services.site.domain.moments import locale_of
from services.site.domain.reaction import tallies
from services.site.domain.wording import wording
from services.site.rendering import Renderer
from shared.contracts.articles import Article, Retraction, Status
from shared.contracts.outlets import Counts

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
Make = Callable[..., Article]


def lines(renderer: Renderer, article: Article, counts: Counts) -> list[list[str]]:
    """The words of each such line of the page."""
    prepared = renderer.article(article, NOW, counts)
    assert prepared is not None
    page = html.document_fromstring(prepared.body, html.HTMLParser(encoding="utf-8"))
    return [[part.text_content() for part in line] for line in page.xpath("//p[@class='reaction']")]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["On social networks", "Likes 1,241", "Replies 3"]),
        ("pt", ["Nas redes sociais", "Gostos 1.241", "Respostas 3"]),
    ],
)
def test_it_tells_what_readers_did_and_no_nought(
    renderer: Renderer, make_article: Make, language: str, expected: list[str]
) -> None:
    counts = Counts(likes=1241, reposts=0, replies=3, views=90_000, clicks=7)
    assert lines(renderer, make_article(language=language), counts) == [expected]


@pytest.mark.parametrize("counts", [Counts(), Counts(likes=0, replies=0), Counts(views=12)])
def test_where_nobody_did_anything_there_is_no_line(
    renderer: Renderer, make_article: Make, counts: Counts
) -> None:
    assert lines(renderer, make_article(), counts) == []
    plain, told = (
        renderer.article(make_article(), NOW),
        renderer.article(make_article(), NOW, counts),
    )
    assert plain
    assert told
    assert plain.body == told.body


def test_a_retraction_has_none(renderer: Renderer, make_article: Make) -> None:
    gone = make_article(status=Status.RETRACTED, retraction=Retraction(at=NOW, reason="Not so."))
    assert lines(renderer, gone, Counts(likes=5)) == []


@given(
    st.builds(Counts, **{name: st.none() | st.integers(0, 10**16) for name in Counts.model_fields}),
    st.sampled_from(["en", "ar", "pt", "de", "x-none"]),
)
def test_every_number_is_readers_own_doing(counts: Counts, language: str) -> None:
    found = tallies(counts, wording(language, "en"), locale_of(language, "en"))
    told = [counts.likes, counts.reposts, counts.quotes, counts.shares, counts.replies]
    assert len(found) == sum(1 for number in told if number)
    assert all(one.label and any(sign.isdigit() for sign in one.number) for one in found)
