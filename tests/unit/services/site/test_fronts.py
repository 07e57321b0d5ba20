"""Which article leads, how long a banner stays, and when a front must be made anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from services.site.domain.fronts import front_page, right_until, section_page
from services.site.domain.views import Place
from shared.contracts.articles import Article

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BREAKING = timedelta(hours=6)
Make = Callable[..., Article]


def articles(make: Make, *kinds: tuple[str, float]) -> list[Article]:
    """One article per (priority, hours ago), newest first as given."""
    return [
        make(
            id=f"id-{index}",
            slug=f"a{index}",
            priority=priority,
            published_at=NOW - timedelta(hours=hours),
        )
        for index, (priority, hours) in enumerate(kinds)
    ]


def test_the_newest_leads(make_article: Make, place: Place) -> None:
    latest = articles(make_article, ("normal", 1), ("normal", 2))
    front = front_page(latest, {"city": latest, "world": []}, place, NOW, BREAKING)
    assert front.lead is not None
    assert front.lead.path == "/articles/a0"
    assert front.banner is None
    assert [card.path for card in front.latest] == ["/articles/a1"]


def test_breaking_news_leads_and_has_the_banner(make_article: Make, place: Place) -> None:
    latest = articles(make_article, ("normal", 1), ("breaking", 5.9))
    front = front_page(latest, {"city": latest, "world": []}, place, NOW, BREAKING)
    assert front.banner == front.lead
    assert front.lead is not None
    assert front.lead.path == "/articles/a1"
    assert [card.path for card in front.latest] == ["/articles/a0"]


def test_after_six_hours_the_banner_is_gone(make_article: Make, place: Place) -> None:
    latest = articles(make_article, ("normal", 1), ("breaking", 6))
    front = front_page(latest, {"city": [], "world": []}, place, NOW, BREAKING)
    assert front.banner is None


def test_a_section_block_does_not_repeat_the_lead(make_article: Make, place: Place) -> None:
    latest = articles(make_article, *[("normal", hours) for hours in range(1, 7)])
    front = front_page(latest, {"city": latest[:5], "world": latest[:1]}, place, NOW, BREAKING)
    assert [block.section.slug for block in front.blocks] == ["city"]
    paths = [card.path for card in front.blocks[0].cards]
    assert paths == ["/articles/a1", "/articles/a2", "/articles/a3", "/articles/a4"]


def test_an_empty_paper_has_a_front(place: Place) -> None:
    front = front_page([], {"city": [], "world": []}, place, NOW, BREAKING)
    assert front.lead is None
    assert front.today.machine == "2026-11-23"


def test_a_section_page_starts_with_its_newest(make_article: Make, place: Place) -> None:
    newest = articles(make_article, ("breaking", 1), ("normal", 2))
    front = section_page(place.publication.sections[0], newest, place, NOW)
    assert front.lead is not None
    assert front.lead.path == "/articles/a0"
    assert front.banner is None


def test_right_until_midnight_of_the_paper_or_the_end_of_the_banner(
    make_article: Make, place: Place
) -> None:
    assert right_until((), place, NOW, BREAKING) == datetime(2026, 11, 24, tzinfo=UTC)
    summer = datetime(2026, 7, 23, 22, 59, tzinfo=UTC)
    assert right_until((), place, summer, BREAKING) == summer + timedelta(minutes=1)
    latest = articles(make_article, ("breaking", 5), ("breaking", 7), ("normal", 1))
    assert right_until(latest, place, NOW, BREAKING) == NOW + timedelta(hours=1)
