"""Publishes what is scheduled, at its instant, once, however many replicas run and whatever crashed before.

Every replica prepares what is due within seconds and writes it when its instant has come; the condition
in the write lets one of them through. Nobody holds a lock, so a replica that dies holds up nothing.
Never fires early by its clock; a clock that jumps is noticed at the next look.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter as Metric
from prometheus_client import Histogram

from services.publishing.domain import acts, arrangements
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.errors import PublishingError
from services.publishing.domain.states import Act
from services.publishing.usecases.change import event_of, record, settle, step_of
from services.publishing.usecases.front_desk import SYSTEM
from services.publishing.usecases.ports import Due, Kept, Newsroom, Step, Write
from services.publishing.usecases.references import look_up, resolved
from shared.contracts.events import Outgoing
from shared.contracts.outlets import OperatorAlert

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
"""Another replica may have scheduled something for the next moment."""
AHEAD = timedelta(seconds=10)
"""How long before its instant an article is read and its event written out."""
READ = 100
WAVE = 100
"""Articles fired in one write: small enough that replicas share a rush, large enough that it is one."""
MOST = 1000
"""Articles looked at in one go; the rest follow at once."""
PREPARED_CHARACTERS = 20_000_000
STALE = timedelta(seconds=2)
"""A step this late is made anew: readers and news sitemaps must get the real time of publication."""
RECORDING = 8
"""Articles whose revision and audit lines are written side by side."""

FIRED = Metric("herald_schedules_total", "Schedules that came true or were missed", ["outcome"])
LATE = Histogram(
    "herald_schedule_late_seconds",
    "From the instant to the write",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30, 300, 3600),
)


class Scheduler:
    """The step of the scheduler's loop."""

    def __init__(self, room: Newsroom) -> None:
        self._room = room
        self._ready: dict[str, Write] = {}

    async def step(self) -> float:
        """Fire what is due; answers the seconds until the next look."""
        soon = await self._room.articles.due(self._room.clock.now() + AHEAD, MOST)
        await self._prepare(soon)
        fired: list[Step] = []
        try:
            while wave := self._ripe():
                fired += await self._fire(wave)
        finally:
            # Announced and recorded only now: in a rush, being published comes first.
            await self._settle(fired)
        if fired or len(soon) == MOST:
            return 0.0
        now = self._room.clock.now()
        ahead = [(one.at - now).total_seconds() for one in soon]
        return max(0.0, min([LOOK_SECONDS, *ahead]))

    async def _prepare(self, soon: list[Due]) -> None:
        """Make ready what is not yet, and forget what has changed since."""
        revisions, now = {one.id: one.revision for one in soon}, self._room.clock.now()
        self._ready = {
            id: write
            for id, write in self._ready.items()
            if revisions.get(id) == write.step.before.copy.revision and _fresh(write.step, now)
        }
        lacking = [one for one in soon if one.id not in self._ready]
        # Replicas that begin at different ends get in each other's way the least; the instant rules.
        random.shuffle(lacking)
        lacking.sort(key=lambda one: one.at)
        held = sum(len(one.step.after.content.body) for one in self._ready.values())
        for start in range(0, len(lacking), READ):
            batch = lacking[start : start + READ]
            # What waits for a later instant keeps nothing from its own that has come.
            full = held > PREPARED_CHARACTERS and batch[0].at > now
            if full or (self._ready and self._ripe()):
                return
            found = await self._room.articles.many([one.id for one in batch])
            for kept in found:
                await settle(self._room, kept)
            for kept in await resolved(self._room, found):
                step = self._step(kept)
                if step is not None:
                    self._ready[kept.copy.id] = self._room.articles.write_of(step)
                    held += len(kept.copy.content.body)

    def _step(self, kept: Kept) -> Step | None:
        """The publication as it will be written at its instant, or now where that is past."""
        plan = kept.copy.standing.schedule
        if plan is None:
            return None  # taken off the schedule since we looked
        now = max(plan.due, self._room.clock.now())
        if now > plan.latest:
            return self._missed(kept, now, f"it was due {now - plan.due} before Herald could act")
        try:
            decision = acts.publish(kept.copy, now, self._room.public_url)
        except PublishingError as error:
            return self._missed(kept, now, f"it cannot be published: {error}")
        decision.detail.update(scheduled_at=plan.due, scheduled_by=plan.by)
        return step_of(self._room, kept, decision, SYSTEM, now)

    def _missed(self, kept: Kept, now: datetime, reason: str) -> Step:
        decision = arrangements.miss(kept.copy, now, reason)
        step = step_of(self._room, kept, decision, SYSTEM, now)
        alert = self._alert(kept.copy, now, reason)
        return Step(step.before, step.after, step.record, alert=alert)

    def _alert(self, copy: WorkingCopy, now: datetime, reason: str) -> Outgoing:
        alert = OperatorAlert(
            severity="critical",
            fingerprint=f"missed:{copy.id}:{copy.revision}",
            title="A scheduled article was not published",
            detail=f"{copy.content.headline}: {reason}.",
            article_id=copy.id,
            at=now,
        )
        return event_of(alert, copy.id, self._room.make_id, now)

    def _ripe(self) -> list[Write]:
        now = self._room.clock.now()
        ripe = [
            one for one in self._ready.values() if _due(one.step) <= now and _fresh(one.step, now)
        ]
        return ripe[:WAVE]

    async def _fire(self, wave: list[Write]) -> list[Step]:
        """Write one wave; answers the steps that were ours."""
        ids = [one.step.after.id for one in wave]
        for id in ids:
            del self._ready[id]
        # In a rush the other replicas have taken many of them; asking is cheaper than being refused.
        still = await self._room.articles.still_due(ids)
        mine = await self._up_to_date([one for one in wave if one.step.after.id in still])
        saved = await self._room.articles.save_all(mine) if mine else set()
        now = self._room.clock.now()
        ours = [one.step for one in mine if one.step.after.id in saved]
        outcomes = Counter("missed" if one.record.act == Act.MISS else "published" for one in ours)
        for outcome, count in outcomes.items():
            FIRED.labels(outcome).inc(count)
            log.info("schedules came due", outcome=outcome, articles=count)
        for step in ours:
            LATE.observe((now - _due(step)).total_seconds())
        return ours

    async def _up_to_date(self, wave: list[Write]) -> list[Write]:
        """Without those that name an article or a profile which has changed since they were prepared.

        They are prepared anew at once: what is withdrawn in the last seconds is not named to readers.
        """
        copies = [one.step.before.copy for one in wave]
        found = await look_up(self._room, *(copy.content for copy in copies))
        return [
            one
            for one, copy in zip(wave, copies, strict=True)
            if copy.references.of(copy.content) == found.of(copy.content)
        ]

    async def _settle(self, fired: list[Step]) -> None:
        """Tell the relay of what was fired, and write its revision and audit lines."""
        for step in fired:
            self._room.wake(step.after.id)
        room = asyncio.Semaphore(RECORDING)

        async def recorded(step: Step) -> None:
            async with room:
                await record(self._room, step.after, step.record)

        await asyncio.gather(*(recorded(step) for step in fired))


def _fresh(step: Step, now: datetime) -> bool:
    return now - step.record.at <= STALE


def _due(step: Step) -> datetime:
    plan = step.before.copy.standing.schedule
    if plan is None:
        raise AssertionError("only what is scheduled is prepared")
    return plan.due
