"""Budgets, breaker and money on whole processes: what one replica learns holds for all, is said, and is told once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.social.domain.breaker import FAILURES
from shared.contracts.articles import ArticleRetracted, Status
from shared.contracts.identity import Role
from shared.storage.client import Database

CHANNELS = "/api/v1/channels"


async def listed(process: Any, account: str) -> dict[str, Any]:
    items = (await process.call("GET", CHANNELS, role=Role.CONTRIBUTOR)).body["items"]
    (found,) = [item for item in items if item["id"] == account]
    return dict(found)


async def count(process: Any, state: str) -> int:
    return sum(item["state"] == state for item in await process.deliveries())


async def count_is(process: Any, state: str, wanted: int) -> bool:
    return await count(process, state) == wanted


async def test_two_replicas_share_one_budget_and_leave_a_tenth(
    start: Any, world: Any, database: Database, eventually: Any
) -> None:
    first, second = await start(), await start()
    await first.connect("x", {**world.account("x"), "media": "card"})
    world.sandbox.fakes["x"]._windows["post"].limit = 12
    for number in range(1, 21):
        await (first if number % 2 else second).publish(world.article(first.clock, number))
    # One is kept, and every post leaves word of what is left.
    await eventually(lambda: count_is(first, "waiting", 9), 20)
    assert len(world.posts("x")) == 11
    (reason,) = {item["reason"] for item in await first.deliveries("?state=waiting&limit=100")}
    assert reason.startswith("rate budget: 1 of 12 left until ")
    assert reason.endswith("kept for breaking news")
    shown = await listed(second, "x/main")
    assert shown["standing"] == "open"
    (budget,) = shown["budgets"]
    told = [budget[name] for name in ("operation", "limit", "remaining", "kept_for_breaking")]
    assert (told, budget["unit"]) == (["post", 12, 1, 1], "calls")

    await second.publish(world.article(first.clock, 30, priority="breaking"))
    await eventually(lambda: len(world.posts("x")) == 12)
    await first.publish(world.article(first.clock, 31, priority="breaking"))
    await eventually(lambda: count_is(first, "waiting", 10))
    assert len(world.posts("x")) == 12
    assert (await listed(first, "x/main"))["budgets"][0]["remaining"] == 0


async def test_a_network_that_keeps_failing_is_left_alone_until_one_post_works(
    start: Any, world: Any, eventually: Any
) -> None:
    first, second = await start(), await start()
    await first.connect("mastodon", world.account("mastodon"))
    fake = world.sandbox.fakes["mastodon"]
    fake.faults["error_before"] = 1000
    for number in range(1, FAILURES + 1):
        await first.publish(world.article(first.clock, number))

    async def broken() -> bool:
        return (await listed(second, "mastodon/main"))["standing"] == "breaker_open"

    await eventually(broken, 20)
    for process in (first, second):
        shown = await listed(process, "mastodon/main")
        assert "50" in shown["breaker"]["reason"]
        assert shown["breaker"]["until"] > shown["created_at"]
    # What comes now is told why it waits, and asks nothing of the network.
    before = fake.faults["error_before"]
    await second.publish(world.article(first.clock, 50))
    waiting = f"{world.article(first.clock, 50).id}:social/mastodon/main:post:1"

    async def told() -> bool:
        reason = (await second.delivery(waiting)).body.get("reason") or ""
        return reason.startswith("circuit breaker open, next try at ")

    await eventually(told)
    await eventually(lambda: first.alerts + second.alerts)
    (alert,) = first.alerts + second.alerts
    assert alert.fingerprint == "breaker-open:mastodon/main"
    assert fake.faults["error_before"] >= before - FAILURES  # only what was under way

    # The first probe fails: open for longer, and nobody is told again.
    first.clock.advance(seconds=31)
    await eventually(lambda: fake.faults["error_before"] < before)
    fake.faults["error_before"] = 0
    first.clock.advance(seconds=200)
    await eventually(lambda: count_is(first, "confirmed", FAILURES + 1), 20)
    assert len(world.posts("mastodon")) == FAILURES + 1
    assert (await listed(first, "mastodon/main"))["breaker"] is None
    assert first.alerts + second.alerts == [alert]


async def test_an_operator_closes_the_breaker_by_resuming(
    start: Any, world: Any, database: Database, eventually: Any
) -> None:
    process = await start()
    await process.connect("mastodon", world.account("mastodon"))
    until = process.clock.now().replace(year=2099)
    await database["standings"].insert_one(
        {
            "_id": "mastodon/main",
            "version": 1,
            "breaker": {"reason": "HTTP 503", "openings": 9, "until": until},
        }
    )
    await process.publish(world.article(process.clock))
    await eventually(lambda: count_is(process, "waiting", 1))
    resumed = await process.call("POST", f"{CHANNELS}/mastodon/main/resume", role=Role.EDITOR)
    assert resumed.body == {"scope": "mastodon/main", "paused": False, "changed": True}
    await eventually(lambda: len(world.posts("mastodon")) == 1)
    again = await process.call("POST", f"{CHANNELS}/mastodon/main/resume", role=Role.EDITOR)
    assert again.body["changed"] is False


async def test_a_month_costs_no_more_than_its_limit(
    start: Any, world: Any, eventually: Any
) -> None:
    first, second = await start(), await start()
    settings = {**world.account("x"), "media": "card", "monthly_limit_usd": 2}
    assert (await first.connect("x", settings)).status == 201
    for number in range(1, 13):
        await (first if number % 2 else second).publish(world.article(first.clock, number))
    await eventually(lambda: count_is(first, "confirmed", 9), 20)
    await eventually(lambda: count_is(first, "waiting", 3))
    (reason,) = {item["reason"] for item in await first.deliveries("?state=waiting&limit=100")}
    assert reason.startswith("cost budget: $1.80 of $2.00 spent in ")
    assert reason.endswith("the rest is kept for breaking news")
    spend = (await listed(second, "x/main"))["spend"]
    assert (spend["usd"], spend["limit_usd"]) == (1.8, 2.0)

    await second.publish(world.article(first.clock, 20, priority="breaking"))
    await eventually(lambda: len(world.posts("x")) == 10)
    await second.publish(world.article(first.clock, 21, priority="breaking"))
    await eventually(lambda: count_is(first, "waiting", 4))
    await eventually(lambda: len(first.alerts + second.alerts) == 2)
    found = sorted(alert.fingerprint for alert in first.alerts + second.alerts)
    month = spend["month"]
    assert found == [f"cost-100:{month}:x/main", f"cost-80:{month}:x/main"]
    # What must come down is never too dear, and it is counted.
    article = world.article(first.clock, 20, priority="breaking", revision=2)
    gone = article.model_copy(update={"status": Status.RETRACTED})
    await first.deliver(ArticleRetracted(article=gone, acted_at=first.clock.now()))
    await eventually(lambda: len(world.sandbox.fakes["x"].visible()) == 9)
    assert (await listed(second, "x/main"))["spend"]["usd"] == pytest.approx(2.01)


async def test_a_post_that_came_to_nothing_costs_nothing(
    start: Any, world: Any, eventually: Any
) -> None:
    process = await start()
    await process.connect("x", {**world.account("x"), "media": "card", "monthly_limit_usd": 2})
    world.sandbox.fakes["x"].faults["refuse"] = 1
    await process.publish(world.article(process.clock))
    await eventually(lambda: count_is(process, "failed", 1))
    assert (await listed(process, "x/main"))["spend"]["usd"] == 0
    await process.call("DELETE", f"{CHANNELS}/x/main")
    await process.connect("x", world.account("x"))
    assert (await listed(process, "x/main"))["spend"]["usd"] == 0


async def test_what_an_account_cost_outlives_its_removal(
    start: Any, world: Any, eventually: Any
) -> None:
    process = await start()
    await process.connect("x", {**world.account("x"), "media": "card"})
    await process.publish(world.article(process.clock))
    await eventually(lambda: count_is(process, "confirmed", 1))
    await process.call("DELETE", f"{CHANNELS}/x/main")
    await process.connect("x", world.account("x"))
    shown = await listed(process, "x/main")
    assert (shown["spend"]["usd"], shown["budgets"]) == (0.2, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"monthly_limit_usd": -1},
        {"monthly_limit_usd": "much"},
        {"post_cost_usd": 10**9},
        {"link_post_cost_usd": None},
    ],
)
async def test_a_wrong_figure_names_its_field(desk: Any, world: Any, wrong: dict[str, Any]) -> None:
    refused = await desk.connect("x", {**world.account("x"), **wrong})
    assert (refused.status, refused.field) == (422, f"settings.{next(iter(wrong))}")


async def test_standings_change_side_by_side_without_losing_any(
    database: Database, world: Any, start: Any
) -> None:
    """Twelve posts at a time on two replicas: each is counted, none twice."""
    first, second = (
        await start(social_account_concurrency=6),
        await start(social_account_concurrency=6),
    )
    await first.connect("x", {**world.account("x"), "media": "card"})
    articles = [world.article(first.clock, number) for number in range(1, 31)]
    await asyncio.gather(
        *((first if n % 2 else second).publish(one) for n, one in enumerate(articles))
    )
    async with asyncio.timeout(30):
        while len(world.posts("x")) < 30 or await count(first, "confirmed") < 30:
            await asyncio.sleep(0.1)
    assert (await listed(first, "x/main"))["spend"]["usd"] == pytest.approx(6.0)
    window = world.sandbox.fakes["x"]._windows["post"]
    (budget,) = (await listed(second, "x/main"))["budgets"]
    # Fewer than 30 where the network's window ended meanwhile; what it counts is what we know.
    assert budget["remaining"] == window.limit - window._used
