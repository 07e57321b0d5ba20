"""Breaking news is on every account within a second while two replicas work off 5,000 posts for the same accounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.storage.client import Database

pytestmark = pytest.mark.timed

ACCOUNTS = ("bluesky", "facebook", "linkedin", "mastodon", "x")
STORIES = 1000
"""On five accounts: 5,000 posts."""
NETWORK_SECONDS = 0.1
"""What each call to a network takes. A post with a picture is four calls on LinkedIn, one after the other."""
LIMIT_SECONDS = 1.0
FLASHES = 5


@pytest.fixture
async def networks(world: Any) -> AsyncIterator[Any]:
    """The stand-ins behind a line of realistic length."""

    @web.middleware
    async def distant(request: web.Request, handler: Any) -> web.StreamResponse:
        await asyncio.sleep(NETWORK_SECONDS)
        answer: web.StreamResponse = await handler(request)
        return answer

    app = world.sandbox.app()
    app.middlewares.append(distant)
    async with TestServer(app) as server:
        world.networks = str(server.make_url(""))
        yield world


def widen(world: Any, calls: int) -> None:
    """So many calls in each window of every network that counts posts; none of them ends meanwhile."""
    fakes = world.sandbox.fakes
    for name in ("mastodon", "x"):
        for window in fakes[name]._windows.values():
            window.limit, window.seconds = calls, 86_400
    for window in fakes["bluesky"]._windows.values():
        window.capacity = 3 * calls  # a post costs three points
    fakes["facebook"]._usage.limit = calls


async def backlog(start: Any, world: Any) -> Any:
    """A process that only plans, with everything planned."""
    planner = await start(working=False)
    for channel in ACCOUNTS:
        settings = world.account(channel)
        if channel == "x":
            settings["media"] = "card"
        assert (await planner.connect(channel, settings)).status == 201
    for first in range(1, STORIES + 1, 20):
        await asyncio.gather(
            *(planner.publish(world.article(planner.clock, n)) for n in range(first, first + 20))
        )
    return planner


async def flash(process: Any, world: Any, database: Database, number: int) -> float:
    """Publish one breaking story; the seconds until the last network had it."""
    story = world.article(
        process.clock, 90_000 + number, headline=f"Flash {number}.", priority="breaking"
    )
    began: datetime = process.clock.now()
    await process.publish(story)
    out = {"article_id": story.id, "state": "confirmed"}
    async with asyncio.timeout(20):
        while await database["deliveries"].count(out) < len(ACCOUNTS):
            await asyncio.sleep(0.05)
    arrived = [
        post.received_at
        for channel in ACCOUNTS
        for post in world.sandbox.fakes[channel].creations()
        if story.headline in post.text
    ]
    assert len(arrived) == len(ACCOUNTS)
    return max((at - began).total_seconds() for at in arrived)


async def done(database: Database) -> int:
    return await database["deliveries"].count({"state": "confirmed"})


async def test_breaking_news_overtakes(
    start: Any, networks: Any, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    widen(networks, 1_000_000)
    await backlog(start, networks)
    assert await database["deliveries"].count({"state": "planned"}) == STORIES * len(ACCOUNTS)
    replicas = [await start(), await start()]
    while await done(database) < 200:
        await asyncio.sleep(0.1)
    took, began, before = [], asyncio.get_running_loop().time(), await done(database)
    for number in range(FLASHES):
        took.append(await flash(replicas[number % 2], networks, database, number))
        await asyncio.sleep(0.3)
    spent = asyncio.get_running_loop().time() - began
    drained = await done(database) - before
    left = await database["deliveries"].count({"state": {"$in": ["planned", "waiting"]}})
    with capsys.disabled():
        print(
            f"\nbreaking news on {len(ACCOUNTS)} accounts beside {left} waiting posts "
            f"({drained / spent:.0f} posts/s): slowest of {FLASHES} {max(took):.3f} s, "
            f"fastest {min(took):.3f} s"
        )
    assert max(took) <= LIMIT_SECONDS, took
    assert left > 2000, "the backlog was gone: this has shown nothing"
    assert drained > FLASHES * len(ACCOUNTS), "the backlog stood still meanwhile"


async def test_breaking_news_overtakes_where_other_posts_have_used_up_their_share(
    start: Any, networks: Any, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    widen(networks, 100)
    planner = await backlog(start, networks)
    replicas = [await start(), await start()]

    async def used_up() -> set[str]:
        items = (await planner.call("GET", "/api/v1/channels")).body["items"]
        return {
            item["channel"]
            for item in items
            for budget in item["budgets"]
            if budget["operation"] == "post" and budget["remaining"] <= budget["kept_for_breaking"]
        }

    counting = {"bluesky", "facebook", "mastodon", "x"}
    async with asyncio.timeout(60):
        while await used_up() != counting:
            await asyncio.sleep(0.2)
    took = [await flash(replicas[number % 2], networks, database, number) for number in range(2)]
    with capsys.disabled():
        print(f"\nbreaking news out of the kept share: slowest {max(took):.3f} s")
    assert max(took) <= LIMIT_SECONDS, took
    reasons = [
        one["reason"] for one in await database["deliveries"].find({"state": "waiting"}, limit=200)
    ]
    assert any(reason.endswith("kept for breaking news") for reason in reasons)
