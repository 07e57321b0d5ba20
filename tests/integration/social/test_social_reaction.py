"""From the people's likes to the report: whole processes, two replicas, and posts that vanish or are taken back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.social.reaction.store import Reading, Readings
from shared.contracts.articles import ArticleRetracted, Status
from shared.contracts.outlets import Counts, DeliveryState, OutletFigures

pytestmark = pytest.mark.integration

MINUTES = 7
"""After which every first step is due."""


async def posted(process: Any, world: Any, eventually: Any, number: int = 1) -> Any:
    """An article that is out on both networks."""
    article = world.article(process.clock, number)
    await process.publish(article)

    async def out() -> bool:
        items = await process.deliveries(f"?article={article.id}")
        return [one["state"] for one in items] == ["confirmed"] * 2

    await eventually(out)
    return article


async def read(process: Any) -> None:
    """One turn of the loop that reads, now."""
    (loop,) = [one for one in process.service.background if getattr(one, "name", "") == "reaction"]
    await loop._step()


def figures(*processes: Any) -> list[OutletFigures]:
    return [one for process in processes for report in process.reports for one in report.figures]


async def readings(process: Any, article: Any) -> dict[str, Reading]:
    """What is kept of each of the article's posts."""
    found = await Readings(process.service.database, process.clock).of_article(article.id)
    return {one.outlet: one for one in found}


async def test_what_people_did_is_reported_and_shown(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = await posted(connected, world, eventually)
    before = await readings(connected, article)
    assert set(before) == {"social/mastodon/main", "social/bluesky/main"}
    assert all(one.counts == Counts() and one.due_at for one in before.values())
    for name, likes in (("mastodon", 12), ("bluesky", 5)):
        (post,) = world.fakes[name].visible()
        world.fakes[name].react(post.id, likes=likes, reposts=2)
    connected.clock.advance(minutes=MINUTES)
    await read(connected)
    await eventually(lambda: len(figures(connected)) == 2)
    told = {one.outlet: one for one in figures(connected)}
    assert told["social/mastodon/main"].counts.likes == 12
    assert told["social/bluesky/main"].counts.likes == 5
    assert all(one.delivery == f"{article.id}:{one.outlet}:post:1" for one in told.values())
    after = await readings(connected, article)
    mastodon = after["social/mastodon/main"]
    assert mastodon.counts == Counts(likes=12, reposts=2, replies=0, quotes=0)
    assert mastodon.counted_at
    assert mastodon.due_at
    assert mastodon.due_at > mastodon.counted_at


async def test_two_replicas_read_what_is_due_once(
    start: Any, connected: Any, world: Any, eventually: Any
) -> None:
    other = await start()
    for number in (1, 2, 3):
        await posted(connected, world, eventually, number)
    connected.clock.advance(minutes=MINUTES)
    await asyncio.gather(*(read(process) for process in (connected, other) * 3))
    await eventually(lambda: len(figures(connected, other)) == 6)
    await asyncio.sleep(0.2)
    told = figures(connected, other)
    assert len({one.delivery for one in told}) == len(told) == 6


async def test_a_post_that_somebody_else_removed_is_told(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = await posted(connected, world, eventually)
    connected.clock.advance(minutes=MINUTES)
    await read(connected)
    await eventually(lambda: len(figures(connected)) == 2)
    fake = world.fakes["mastodon"]
    (post,) = fake.visible()
    fake._store.live(post.id).deleted = True  # by a moderator: nobody asked us
    for _ in range(2):
        connected.clock.advance(minutes=15)
        await read(connected)
    await eventually(lambda: connected.alerts)
    (alert,) = connected.alerts
    assert (alert.severity, alert.article_id) == ("warning", article.id)
    assert post.url in alert.detail
    (last,) = [one for one in figures(connected) if one.gone]
    assert last.outlet == "social/mastodon/main"
    delivery = await connected.delivery(last.delivery)
    assert delivery.body["state"] == "confirmed"
    kept = (await readings(connected, article))["social/mastodon/main"]
    assert (kept.ended, kept.due_at) == ("no longer there", None)


async def test_a_retraction_ends_the_reading_without_an_alarm(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = await posted(connected, world, eventually)
    gone = article.model_copy(update={"revision": 2, "status": Status.RETRACTED})
    await connected.deliver(ArticleRetracted(article=gone, acted_at=connected.clock.now()))

    async def removed() -> bool:
        items = await connected.deliveries("?state=confirmed")
        return len(items) == 4

    await eventually(removed)
    for _ in range(3):
        connected.clock.advance(minutes=15)
        await read(connected)
    found = await readings(connected, article)
    assert {one.ended for one in found.values()} == {"taken back"}
    assert figures(connected) == []
    assert connected.alerts == []


async def test_a_paused_account_is_not_read_and_its_posts_are_not_forgotten(
    connected: Any, world: Any, eventually: Any
) -> None:
    await posted(connected, world, eventually)
    await connected.call("POST", "/api/v1/channels/mastodon/main/pause", {"reason": "drill"})
    connected.clock.advance(minutes=MINUTES)
    await read(connected)
    await eventually(lambda: figures(connected))
    assert {one.outlet for one in figures(connected)} == {"social/bluesky/main"}
    await connected.call("POST", "/api/v1/channels/mastodon/main/resume")
    await read(connected)
    await eventually(lambda: len(figures(connected)) == 2)


async def test_a_network_that_refuses_a_reading_holds_up_no_post(
    connected: Any, world: Any, eventually: Any
) -> None:
    await posted(connected, world, eventually)
    for fault in ("rate_limited", "auth_dead"):
        world.fakes["mastodon"].faults[f"counts:{fault}"] = 1
        connected.clock.advance(hours=7)
        await read(connected)
        assert world.fakes["mastodon"].faults[f"counts:{fault}"] == 0, "the fault never struck"
    pauses = await connected.call("GET", "/api/v1/channels")
    assert all(one["paused"] is None for one in pauses.body["items"])
    assert all(one["quiet_until"] is None for one in pauses.body["items"])
    await posted(connected, world, eventually, 2)
    assert DeliveryState.CONFIRMED in {line.state for line in connected.lines()}


async def test_the_reaction_to_an_edited_post_goes_on(
    connected: Any, world: Any, eventually: Any
) -> None:
    """An edited post is the same post on Mastodon, so its likes go on."""
    article = await posted(connected, world, eventually)
    (post,) = world.fakes["mastodon"].visible()
    world.fakes["mastodon"].react(post.id, likes=3)
    changed = article.model_copy(update={"revision": 2, "headline": "The ferry is late again."})
    await connected.publish(changed)
    await eventually(lambda: world.fakes["mastodon"].visible()[0].edited_at)
    connected.clock.advance(minutes=MINUTES)

    async def quiet() -> bool:
        return all(one["state"] == "confirmed" for one in await connected.deliveries())

    await eventually(quiet)
    await read(connected)
    await eventually(lambda: len(figures(connected)) == 2)
    likes = {one.outlet: one.counts.likes for one in figures(connected)}
    assert likes["social/mastodon/main"] == 3


async def test_the_reaction_to_a_post_that_took_the_place_of_another_is_read(
    connected: Any, world: Any, eventually: Any
) -> None:
    policy = {"minor": "repost"}
    await connected.call("PUT", "/api/v1/channels/mastodon/main/policy", policy)
    article = await posted(connected, world, eventually)
    changed = article.model_copy(update={"revision": 2, "headline": "The ferry is late again."})
    await connected.publish(changed)

    async def reposted() -> bool:
        items = await connected.deliveries(f"?article={article.id}")
        posts = [one for one in items if one["operation"] == "post"]
        return [one["state"] for one in posts] == ["confirmed"] * 3

    await eventually(reposted)
    (post,) = world.fakes["mastodon"].visible()
    world.fakes["mastodon"].react(post.id, likes=3)
    connected.clock.advance(minutes=MINUTES)
    await read(connected)
    await eventually(lambda: len(figures(connected)) == 2)
    likes = {one.outlet: one.counts.likes for one in figures(connected)}
    assert likes["social/mastodon/main"] == 3
    assert not any(one.gone for one in figures(connected))
    assert connected.alerts == []
