"""The front page and the sections: right at once on every replica, and again when time moves on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from shared.contracts.articles import Article, Retraction, Status
from shared.runtime.clock import ManualClock

Make = Callable[..., Article]
Start = Callable[..., Awaitable[Any]]


async def test_an_empty_paper(replica: Any) -> None:
    page = await replica.text("/")
    assert "The Example Courier" in page
    assert "Monday, November 23, 2026" in page
    assert (await replica.get("/sections/city")).status == 200


async def test_every_replica_shows_a_change_at_once(
    start_replica: Start, make_article: Make, clock: ManualClock
) -> None:
    one, two = await start_replica(), await start_replica()
    for path in ("/", "/sections/city"):
        assert "The harbour opens" not in await two.text(path)
    await one.handle(make_article())
    for path in ("/", "/sections/city"):
        assert "The harbour opens" in await two.text(path)
    assert "The harbour opens" not in await two.text("/sections/world")
    why = Retraction(at=clock.now(), reason="Not true.")
    await one.handle(make_article(revision=2, status=Status.RETRACTED, retraction=why))
    for path in ("/", "/sections/city"):
        assert "The harbour opens" not in await two.text(path)


async def test_the_banner_stays_six_hours(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    await replica.handle(make_article(priority="breaking"))
    assert 'class="banner"' in await replica.text("/")
    clock.advance(6 * 3600 - 1)
    assert 'class="banner"' in await replica.text("/")
    clock.advance(1)
    assert 'class="banner"' not in await replica.text("/")


async def test_the_date_turns_at_midnight(replica: Any, clock: ManualClock) -> None:
    first = await replica.get("/")
    clock.advance(14.5 * 3600)
    second = await replica.get("/", If_None_Match=first.headers["ETag"])
    assert second.status == 200
    assert "Tuesday, November 24, 2026" in await second.text()


async def test_the_same_edition_is_not_sent_twice(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article())
    first = await replica.get("/")
    assert (await replica.get("/", If_None_Match=first.headers["ETag"])).status == 304


async def test_newest_first_and_not_more_than_fits(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    for number in range(35):
        clock.advance(60)
        await replica.handle(
            make_article(id=f"id-{number}", slug=f"a-{number}", headline=f"Story {number}.")
        )
    section = await replica.text("/sections/city")
    assert section.index("Story 34.") < section.index("Story 33.") < section.index("Story 5.")
    assert "Story 4." not in section
    assert "Story 34." in await replica.text("/")


async def test_an_unknown_section_has_the_papers_404(replica: Any) -> None:
    response = await replica.get("/sections/nowhere")
    assert response.status == 404
    assert "The Example Courier" in await response.text()


async def test_assets_are_kept_for_ever_under_their_own_name_only(replica: Any) -> None:
    page = await replica.text("/")
    for before, after in (('rel="stylesheet" href="', '"'), ('rel="icon" href="', '"')):
        path = page.partition(before)[2].partition(after)[0]
        response = await replica.get(path)
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
    other = await replica.get("/assets/site.0123456789abcdef.css")
    assert other.status == 200
    assert "immutable" not in other.headers["Cache-Control"]
