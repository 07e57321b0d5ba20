"""From the event to the networks and back: one post each, reports as promised, pauses, lateness, two replicas."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from services.social.store import Accounts
from shared.contracts.articles import ArticleRetracted, Status
from shared.contracts.identity import Role, TokenRevoked
from shared.contracts.outlets import DeliveryState, Operation
from shared.runtime.keys import KeyRing
from shared.storage.client import Database

OUTLETS = {"social/mastodon/main", "social/bluesky/main"}
FINAL = {state.value for state in DeliveryState if state.final}


async def settled(process: Any, count: int) -> bool:
    """Whether this many deliveries exist and all of them are final."""
    items = await process.deliveries()
    return len(items) >= count and all(item["state"] in FINAL for item in items)


async def test_one_publish_is_one_post_everywhere_and_is_reported(
    connected: Any, world: Any, eventually: Any
) -> None:
    world.page_is_live.clear()
    article = world.article(connected.clock)
    await connected.publish(article)
    await eventually(lambda: connected.reports)
    (applied,) = connected.reports
    assert (applied.service, applied.article_id, applied.revision) == ("social", article.id, 1)
    assert {line.outlet for line in applied.lines} == OUTLETS
    assert {line.operation for line in applied.lines} == {Operation.POST}
    assert all(line.state in {"planned", "claimed"} for line in applied.lines)
    assert not world.posts("mastodon") + world.posts("bluesky")  # nobody may find a dead link

    world.page_is_live.set()
    await eventually(lambda: settled(connected, 2))
    await eventually(lambda: len(connected.reports) == 3)
    for channel in ("mastodon", "bluesky"):
        (text,) = world.posts(channel)
        assert article.headline in text
    confirmed = {line.outlet: line for report in connected.reports[1:] for line in report.lines}
    assert set(confirmed) == OUTLETS
    before = {line.outlet: line for line in applied.lines}
    for outlet, line in confirmed.items():
        assert line.state is DeliveryState.CONFIRMED
        assert line.delivery == before[outlet].delivery
        assert line.sequence > before[outlet].sequence
        assert line.url is not None
        assert line.url.startswith(world.networks)
        assert line.milliseconds is not None
    assert world.asked == ["/articles/story-1"]  # asked once for both accounts


async def test_the_same_event_again_changes_nothing_but_is_reported_again(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = world.article(connected.clock)
    await asyncio.gather(*(connected.publish(article) for _ in range(5)))
    await eventually(lambda: settled(connected, 2))
    await connected.publish(article)

    def whole() -> bool:
        """A report of the whole article, as only the intake makes it, with everything done."""
        found = [[line.state for line in report.lines] for report in connected.reports]
        return [DeliveryState.CONFIRMED] * 2 in found

    await eventually(whole)
    assert [len(world.posts(channel)) for channel in ("mastodon", "bluesky")] == [1, 1]


async def test_a_correction_and_a_retraction_follow_the_post(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = world.article(connected.clock)
    await connected.publish(article)
    await eventually(lambda: settled(connected, 2))
    changed = article.model_copy(update={"revision": 2, "headline": "The ferry is late again."})
    await connected.publish(changed)
    await eventually(lambda: settled(connected, 4))
    assert "The ferry is late again." in world.posts("mastodon")[0]
    taken = changed.model_copy(update={"revision": 3, "status": Status.RETRACTED})
    await connected.deliver(ArticleRetracted(article=taken, acted_at=connected.clock.now()))
    await eventually(lambda: settled(connected, 6))
    for fake in world.fakes.values():
        assert fake.visible() == []
    await connected.publish(changed)  # the broker hands out an old message once more
    assert len(await connected.deliveries()) == 6


async def test_breaking_news_comes_by_the_express_queue(
    connected: Any, world: Any, eventually: Any
) -> None:
    await connected.publish(world.article(connected.clock, priority="breaking"))
    await eventually(lambda: settled(connected, 2))
    assert [len(world.posts(channel)) for channel in ("mastodon", "bluesky")] == [1, 1]


async def test_an_account_added_after_the_article_does_not_post_it(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = world.article(connected.clock)
    await connected.publish(article)
    await eventually(lambda: settled(connected, 2))
    connected.clock.advance(seconds=1)
    await connected.connect("mastodon", world.account("mastodon"), "second")
    await connected.publish(article)
    await connected.publish(article.model_copy(update={"revision": 2}))
    await eventually(lambda: settled(connected, 4))
    assert {item["outlet"] for item in await connected.deliveries()} == OUTLETS
    await connected.publish(world.article(connected.clock, 2))
    await eventually(lambda: settled(connected, 7))
    assert len(world.posts("mastodon")) == 3
    assert len(world.posts("bluesky")) == 2


async def test_a_removed_account_posts_nothing_on_any_replica(
    start: Any, connected: Any, world: Any, eventually: Any
) -> None:
    other = await start()
    await connected.publish(world.article(connected.clock))
    await eventually(lambda: settled(connected, 2))
    for process in (connected, other):  # both have built the account's channel by now
        tested = await process.call("POST", "/api/v1/channels/mastodon/main/test")
        assert tested.body["ok"] is True
    await connected.call("POST", "/api/v1/channels/pause", {"reason": "wait"})
    await connected.publish(world.article(connected.clock, 2))
    await connected.call("DELETE", "/api/v1/channels/mastodon/main")
    await connected.call("POST", "/api/v1/channels/resume")
    await eventually(lambda: settled(connected, 4))
    (failed,) = await connected.deliveries("?state=failed")
    assert failed["reason"] == "the account has been removed"
    assert [len(world.posts(channel)) for channel in ("mastodon", "bluesky")] == [1, 2]


async def test_two_replicas_share_fifty_articles_without_doubling(
    start: Any, connected: Any, world: Any, eventually: Any
) -> None:
    other = await start()
    replicas = [connected, other]
    articles = [world.article(connected.clock, number) for number in range(1, 51)]
    await asyncio.gather(
        *(replicas[n % 2].publish(article) for n, article in enumerate(articles)),
        # A broker may hand any message out twice, and to whom it likes.
        *(replicas[(n + 1) % 2].publish(article) for n, article in enumerate(articles[:20])),
    )

    async def all_confirmed() -> bool:
        answers = await connected.deliveries("?state=confirmed&limit=100")
        return len(answers) == 100

    await eventually(all_confirmed, 20)
    for channel in ("mastodon", "bluesky"):
        texts = world.posts(channel)
        assert len(texts) == 50
        for article in articles:
            assert sum(article.headline in text for text in texts) == 1, article.headline
    await eventually(lambda: len({id for id, _ in _confirmations(*replicas)}) == 100)
    assert len(_confirmations(*replicas)) == 100  # none was confirmed a second time
    assert all(_confirmations(replica) for replica in replicas)  # both of them worked


def _confirmations(*replicas: Any) -> set[tuple[str, int]]:
    """Each confirming write that a worker announced: the delivery and its sequence.

    A set, because a relay may send one announcement twice, and nobody minds.
    """
    return {
        (report.lines[0].delivery, report.lines[0].sequence)
        for replica in replicas
        for report in replica.reports
        if len(report.lines) == 1 and report.lines[0].state is DeliveryState.CONFIRMED
    }


async def test_a_pause_longer_than_the_limit_ends_in_missed_and_no_burst(
    connected: Any, world: Any, eventually: Any
) -> None:
    await connected.call("POST", "/api/v1/channels/pause", {"reason": "election night"})
    for number in (1, 2, 3):
        await connected.publish(world.article(connected.clock, number))
    connected.clock.advance(hours=6, minutes=1)
    await asyncio.sleep(0.3)
    assert {item["state"] for item in await connected.deliveries()} == {"planned"}
    await connected.call("POST", "/api/v1/channels/resume")
    await eventually(lambda: settled(connected, 6))
    assert {item["state"] for item in await connected.deliveries()} == {"missed"}
    assert world.posts("mastodon") + world.posts("bluesky") == []
    await eventually(lambda: [x.state for x in connected.lines()].count(DeliveryState.MISSED) == 6)
    late = (await connected.deliveries("?limit=1"))[0]
    await connected.delivery(late["id"], "retry")  # a person may still want it

    async def posted() -> bool:
        return (await connected.delivery(late["id"])).body["state"] == "confirmed"

    await eventually(posted)


async def test_one_paused_account_leaves_the_others_alone(
    connected: Any, world: Any, eventually: Any
) -> None:
    path = "/api/v1/channels/mastodon/main"
    await connected.call("POST", f"{path}/pause", {"reason": "wrong logo"})
    await connected.publish(world.article(connected.clock))
    await eventually(lambda: world.posts("bluesky"))
    await asyncio.sleep(0.3)
    assert world.posts("mastodon") == []
    await connected.call("POST", f"{path}/resume")
    await eventually(lambda: settled(connected, 2))
    assert len(world.posts("mastodon")) == 1


async def test_pauses_of_one_channel_and_of_one_article(
    connected: Any, world: Any, database: Database, eventually: Any
) -> None:
    vault = KeyRing("any").vault("not needed here")
    switches = Accounts(database, vault, connected.clock)
    first, second = (world.article(connected.clock, number) for number in (1, 2))
    await switches.pause(f"article:{first.id}", "the lawyers read it", "A CHIEF")
    await switches.pause("bluesky", "the network is down", "A CHIEF")
    await asyncio.sleep(0.3)  # the worker asks which accounts are off four times a second
    await connected.publish(first)
    await connected.publish(second)

    async def held() -> bool:
        waiting = await connected.deliveries(f"?article={first.id}&state=waiting")
        return len(waiting) == 1 and len(world.posts("mastodon")) == 1

    await eventually(held)
    assert second.headline in world.posts("mastodon")[0]
    assert world.posts("bluesky") == []
    (waiting,) = await connected.deliveries(f"?article={first.id}&state=waiting")
    assert waiting["reason"] == f"paused (article:{first.id}): the lawyers read it"
    await eventually(lambda: any(x.state is DeliveryState.WAITING for x in connected.lines()))
    await switches.resume(f"article:{first.id}")
    await switches.resume("bluesky")
    connected.clock.advance(seconds=6)
    await eventually(lambda: settled(connected, 4))
    assert [len(world.posts(channel)) for channel in ("mastodon", "bluesky")] == [2, 2]


async def test_dead_credentials_pause_the_account_tell_the_operator_once_and_heal(
    connected: Any, world: Any, eventually: Any
) -> None:
    world.sandbox.fakes["mastodon"].faults["auth_dead"] = 1
    await connected.publish(world.article(connected.clock))
    await eventually(lambda: connected.alerts)
    (alert,) = connected.alerts
    assert (alert.severity, alert.fingerprint) == ("critical", "auth-dead:mastodon/main")
    listed = (await connected.call("GET", "/api/v1/channels")).body["items"]
    paused = {item["id"]: item["paused"] for item in listed}
    assert paused["bluesky/main"] is None
    assert paused["mastodon/main"]["reason"].startswith("credentials: ")
    path = "/api/v1/channels/mastodon/main"
    await connected.call("DELETE", path)
    connected.clock.advance(minutes=2)
    await connected.connect("mastodon", world.account("mastodon"))
    await connected.call("POST", f"{path}/resume")
    await eventually(lambda: settled(connected, 2))
    assert len(world.posts("mastodon")) == 1
    assert len(connected.alerts) == 1


async def test_a_revoked_token_dies_in_every_replica(start: Any) -> None:
    processes = [await start(working=False) for _ in range(2)]
    first = processes[0]
    token, token_id, expires = first.identities.issue("u1", "Ana", Role.ADMIN, timedelta(days=1))
    kept, *_ = first.identities.issue("u1", "Ana", Role.ADMIN, timedelta(days=1))
    for process in processes:
        assert (await process.call("GET", "/api/v1/deliveries", token=token)).status == 200
    await first.deliver(TokenRevoked(token_id=token_id, expires_at=expires))
    first.clock.advance(seconds=3)  # how stale the list of the revoked may be
    for process in processes:
        for method, path in (
            ("GET", "/api/v1/deliveries"),
            ("GET", "/api/v1/channels"),
            ("POST", "/api/v1/channels/pause"),
        ):
            dead = await process.call(method, path, {"reason": "r"}, token=token)
            assert (dead.status, dead.field) == (401, "Authorization")
            assert dead.body["detail"] == "the token was revoked"
        assert (await process.call("GET", "/api/v1/channels", token=kept)).status == 200
    first.clock.advance(days=1, seconds=1)
    old = await first.call("GET", "/api/v1/channels", token=kept)
    assert (old.status, old.field) == (401, "Authorization")


async def test_readiness_names_what_it_waits_for(start: Any, database: Database) -> None:
    process = await start()
    ready = await process.call("GET", "/readyz", role=None)
    assert ready.status == 200
    assert ready.body["checks"] == {
        "started": True,
        "queue social.articles": True,
        "queue social.articles.express": True,
        "queue test.reports": True,
        "database social": True,
    }
    await process.bus.stop(1)
    stopping = await process.call("GET", "/readyz", role=None)
    assert stopping.status == 503
    assert stopping.body["checks"]["queue social.articles"] is False
    assert stopping.body["checks"]["database social"] is True
