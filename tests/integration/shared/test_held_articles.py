"""Held snapshots and the intake: older never replaces newer, the same again finishes what a crash cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

from shared.contracts.articles import Article, ArticlePublished
from shared.contracts.base import EventData
from shared.contracts.events import Event, read_event, write_event
from shared.contracts.identity import TokenRevoked
from shared.contracts.outlets import OutletLine, OutletReported
from shared.delivery.intake import ArticleIntake, report_event
from shared.runtime.clock import ManualClock
from shared.storage.client import Database
from shared.storage.errors import Duplicate
from shared.storage.held import Held, HeldArticles

Make = Callable[..., Article]


@pytest.fixture
async def held(either_database: Database) -> HeldArticles:
    articles = HeldArticles(either_database["articles"])
    await articles.declare()
    return articles


async def hold(held: HeldArticles, article: Article, clock: ManualClock) -> Held | None:
    return await held.hold(article, acted_at=clock.now(), traceparent="00-trace-01")


async def test_a_snapshot_comes_back_as_it_was_held(
    held: HeldArticles, article: Make, clock: ManualClock
) -> None:
    kept = await held.hold(
        article(revision=3), acted_at=clock.now(), traceparent="00-a-01", extra={"shard": "x"}
    )
    assert kept is not None
    assert kept.article == article(revision=3)
    assert kept == await held.get(kept.article.id)
    assert (kept.acted_at, kept.traceparent, kept.extra) == (clock.now(), "00-a-01", {"shard": "x"})
    assert kept.applied_revision == 0
    assert await held.get("nobody") is None


async def test_older_is_ignored_and_the_same_is_taken_again(
    held: HeldArticles, article: Make, clock: ManualClock
) -> None:
    assert await hold(held, article(revision=2, headline="two"), clock)
    assert await hold(held, article(revision=1, headline="one"), clock) is None
    again = await hold(held, article(revision=2, headline="two"), clock)
    assert again is not None
    assert again.article.headline == "two"


@pytest.mark.parametrize("attempt", range(6))
async def test_of_snapshots_arriving_at_once_the_newest_is_never_lost(
    held: HeldArticles, article: Make, clock: ManualClock, attempt: int
) -> None:
    revisions = [1, 2, 3, 4] if attempt % 2 else [4, 3, 2, 1]
    results = await asyncio.gather(
        *(hold(held, article(revision=revision), clock) for revision in revisions * 3)
    )
    newest = [result for result in results if result and result.article.revision == 4]
    assert len(newest) == 3
    kept = await held.get(article().id)
    assert kept is not None
    assert kept.article.revision == 4


async def test_the_insert_of_an_older_one_in_the_same_instant_does_not_make_ours_stale(
    held: HeldArticles, article: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly the race: our upsert has matched nothing when the older snapshot is inserted."""
    plain = held.collection.find_one_and_update
    calls = 0

    async def racing(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            monkeypatch.setattr(held.collection, "find_one_and_update", plain)
            assert await hold(held, article(revision=1), clock)
            raise Duplicate("_id")  # what the server answers to the upsert that lost
        return await plain(*args, **options)

    monkeypatch.setattr(held.collection, "find_one_and_update", racing)
    kept = await hold(held, article(revision=2), clock)
    assert kept is not None
    assert kept.article.revision == 2


class Intake:
    """An intake whose `apply` is recorded and can fail."""

    def __init__(self, held: HeldArticles, clock: ManualClock) -> None:
        self.applied: list[int] = []
        self.failing = False
        self.revoked: list[str] = []
        self.woken: list[tuple[str, str]] = []
        self._clock = clock
        self.intake = ArticleIntake(
            "sitemap",
            held,
            self._apply,
            clock,
            lambda *key: self.woken.append(key),
            self._revoke,
        )

    async def _revoke(self, token_id: str, expires_at: datetime) -> None:
        self.revoked.append(token_id)

    async def _apply(self, held: Held) -> Sequence[OutletLine]:
        if self.failing:
            raise RuntimeError("died while applying")
        self.applied.append(held.article.revision)
        return []

    async def handle(self, data: EventData) -> None:
        event: Event[EventData] = write_event(
            data, id="e", source="/herald/publishing", subject="s", time=self._clock.now()
        )
        await self.intake.handle(event)


async def reports(held: HeldArticles, article_id: str) -> list[OutletReported]:
    document = await held.collection.find_one({"_id": article_id})
    events = [read_event(event["body"]) for event in (document or {}).get("outbox", [])]
    assert all(isinstance(event.data, OutletReported) for event in events)
    return [event.data for event in events]  # type: ignore[misc]


async def test_the_intake_applies_reports_and_ignores_what_is_stale_or_foreign(
    held: HeldArticles, article: Make, clock: ManualClock
) -> None:
    one = Intake(held, clock)
    published = ArticlePublished(article=article(revision=2), acted_at=clock.now())
    await one.handle(published)
    await one.handle(published)  # the same again: applied and reported again
    await one.handle(ArticlePublished(article=article(revision=1), acted_at=clock.now()))
    await one.handle(TokenRevoked(token_id="t", expires_at=clock.now()))
    assert one.applied == [2, 2]
    assert one.woken == [("articles", article().id)] * 2
    assert [(r.service, r.revision) for r in await reports(held, article().id)] == [
        ("sitemap", 2),
        ("sitemap", 2),
    ]
    kept = await held.get(article().id)
    assert kept is not None
    assert kept.applied_revision == 2


async def test_a_failure_while_applying_reports_nothing_and_the_next_delivery_finishes(
    held: HeldArticles, article: Make, clock: ManualClock
) -> None:
    one = Intake(held, clock)
    published = ArticlePublished(article=article(revision=2), acted_at=clock.now())
    one.failing = True
    with pytest.raises(RuntimeError, match="died"):
        await one.handle(published)
    kept = await held.get(article().id)
    assert kept is not None
    assert kept.applied_revision == 0
    assert await reports(held, article().id) == []
    one.failing = False
    await one.handle(published)
    assert one.applied == [2]
    assert len(await reports(held, article().id)) == 1


async def test_a_slow_older_apply_does_not_take_back_the_newer_mark(
    held: HeldArticles, article: Make, clock: ManualClock
) -> None:
    await hold(held, article(revision=1), clock)
    await hold(held, article(revision=2), clock)
    for revision in (2, 1):
        report = report_event("sitemap", article().id, revision, [], clock)
        await held.applied(article(revision=revision), report, clock.now())
    kept = await held.get(article().id)
    assert kept is not None
    assert kept.applied_revision == 2


async def test_a_revoked_token_goes_to_the_revocations_and_nowhere_else(
    held: HeldArticles, clock: ManualClock
) -> None:
    intake = Intake(held, clock)
    await intake.handle(TokenRevoked(token_id="t1", expires_at=clock.now()))
    assert intake.revoked == ["t1"]
    assert intake.applied == []
