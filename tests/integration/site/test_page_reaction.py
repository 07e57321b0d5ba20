"""The reaction on an article's page: whichever of two events comes first, the newest of both is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from lxml import html

from shared.contracts.articles import Article, Retraction, Status
from shared.contracts.events import read_event, write_event
from shared.contracts.outlets import Counts, OutletFigures, OutletReported
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_id

pytestmark = pytest.mark.integration

ADDRESS = "/articles/harbour-opens"
ID = "019ab000-0000-7000-8000-000000000001"
Make = Callable[..., Article]


async def tell(
    replica: Any, at: datetime, outlet: str = "social/mastodon/a.b", **counts: int
) -> None:
    """Figures as the social service reports them, on the queue that takes them."""
    figures = OutletFigures(
        outlet=outlet, delivery=f"{ID}:{outlet}:post:1", at=at, counts=Counts(**counts)
    )
    report = OutletReported(
        service="social", article_id=ID, revision=1, partial=True, figures=(figures,), at=at
    )
    event = write_event(report, id=new_id(), source="/test", subject=ID, time=at)
    (handle,) = [
        handle
        for subscription, handle in replica.service.subscriptions
        if event.routing_key in subscription.topics
    ]
    await handle(read_event(event.wire()))


async def line(replica: Any) -> list[str]:
    """The words of the line, none where there is no line."""
    page = html.document_fromstring(await replica.text(ADDRESS))
    return [part.text_content() for part in page.xpath("//p[@class='reaction']/span")][1:]


async def test_the_line_follows_the_figures_and_nothing_else_moves(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    await replica.handle(make_article())
    reports, before = await replica.reports(), await replica.get(ADDRESS)
    front = await replica.get("/")
    assert await line(replica) == []
    clock.advance(300)
    await tell(replica, clock.now(), likes=12, replies=0)
    await tell(replica, clock.now(), "social/bluesky/main", likes=5, reposts=2)
    assert await line(replica) == ["Likes 17", "Reposts 2"]
    after = await replica.get(ADDRESS)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.headers["Last-Modified"] != before.headers["Last-Modified"]
    assert (await replica.get("/")).headers["ETag"] == front.headers["ETag"]
    assert await replica.reports() == reports
    clock.advance(300)
    await tell(replica, clock.now(), likes=12, views=400)  # nothing that readers would see
    same = await replica.get(ADDRESS)
    assert same.headers["ETag"] == after.headers["ETag"]
    assert same.headers["Last-Modified"] == after.headers["Last-Modified"]


async def test_a_reading_that_comes_late_or_twice_changes_nothing(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    await replica.handle(make_article())
    now = clock.now()
    await asyncio.gather(
        *(tell(replica, now + timedelta(hours=hours), likes=hours) for hours in range(8, 0, -1))
    )
    await tell(replica, now + timedelta(hours=2), likes=99)
    assert await line(replica) == ["Likes 8"]


async def test_figures_before_their_article_and_over_its_changes(
    start_replica: Any, make_article: Make, clock: ManualClock
) -> None:
    replica = await start_replica()
    await tell(replica, clock.now(), likes=3)
    assert (await replica.get(ADDRESS)).status == 404
    await replica.handle(make_article())
    assert await line(replica) == ["Likes 3"]
    await replica.handle(make_article(revision=2, headline="The harbour is open"))
    assert await line(replica) == ["Likes 3"]
    assert "<h1>The harbour is open</h1>" in await replica.text(ADDRESS)
    later = await start_replica(tagline="Another dress")
    assert await line(later) == ["Likes 3"]


async def test_an_article_and_its_figures_at_once(
    start_replica: Any, make_article: Make, clock: ManualClock
) -> None:
    replicas = [await start_replica() for _ in range(3)]
    now = clock.now()
    await replicas[0].handle(make_article())
    await asyncio.gather(
        *(tell(one, now, f"social/x/{number}", likes=1) for number, one in enumerate(replicas)),
        *(
            one.handle(make_article(revision=number + 2, headline=f"Version {number}"))
            for number, one in enumerate(replicas)
        ),
    )
    assert await line(replicas[1]) == ["Likes 3"]
    assert "<h1>Version 2</h1>" in await replicas[1].text(ADDRESS)


async def test_figures_bring_no_withdrawn_article_back(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    await replica.handle(make_article())
    gone = Retraction(at=clock.now(), reason="It was not so.")
    await replica.handle(make_article(revision=2, status=Status.RETRACTED, retraction=gone))
    await tell(replica, clock.now(), likes=3)
    assert (await replica.get(ADDRESS)).status == 410
    assert await line(replica) == []
    await replica.handle(make_article(revision=3, status=Status.UNPUBLISHED))
    await tell(replica, clock.now() + timedelta(hours=1), likes=4)
    assert (await replica.get(ADDRESS)).status == 404
