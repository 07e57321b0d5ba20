"""How every act on an article is done: read, decide, one conditional update, wake, and then the records.

Never tells the world before the update is durable, and never keeps the world waiting for the records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.publishing.domain.acts import Decision
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.errors import NoSuch, Stale
from services.publishing.domain.states import Act
from services.publishing.usecases.ports import ActRecord, Announcement, Kept, Newsroom, Step
from services.publishing.usecases.references import resolved
from services.publishing.usecases.staleness import stale
from shared.contracts.articles import ArticleEvent
from shared.contracts.base import EventData
from shared.contracts.events import Outgoing, write_event
from shared.runtime.ids import NewId
from shared.runtime.tracing import current_traceparent
from shared.storage.errors import StorageUnavailable
from shared.web.identity import Identity

log = structlog.get_logger(__name__)

Decide = Callable[[WorkingCopy, datetime], Awaitable[Decision | None]]
"""None says that there is nothing to change."""

SOURCE = "/herald/publishing"
REPAIR_BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600))
"""How long after an announcement it is repeated when a service has not reported it, and then again."""
RACES = 50
"""How often an act without a revision is decided anew because others were faster."""


async def load(room: Newsroom, article_id: str) -> Kept:
    """The article with what its content names elsewhere. Raises `NoSuch`."""
    kept = await room.articles.get(article_id)
    if kept is None:
        raise NoSuch("article")
    (whole,) = await resolved(room, [kept])
    return whole


async def expect(room: Newsroom, kept: Kept, expected: int | None) -> None:
    """Raises `Stale` unless the article is at `expected`; None expects nothing."""
    if expected is not None and kept.copy.revision != expected:
        raise await stale(room, kept, expected)


async def change(
    room: Newsroom,
    article_id: str,
    expected: int | None,
    person: Identity,
    decide: Decide,
) -> WorkingCopy:
    """Do one act. `expected` is the revision the person saw, None for whichever stands."""
    for _ in range(RACES):
        before = await load(room, article_id)
        await expect(room, before, expected)
        now = room.clock.now()
        decision = await decide(before.copy, now)
        if decision is None:
            return before.copy
        await settle(room, before)
        step = step_of(room, before, decision, person, now)
        if await room.articles.save(step):
            if step.announcement:
                room.wake(article_id)
            await record(room, step.after, step.record)
            return decision.after
    raise Stale((await load(room, article_id)).copy.revision)


def step_of(
    room: Newsroom, before: Kept, decision: Decision, person: Identity, now: datetime
) -> Step:
    """What is to be written for a decision made at `now`."""
    done = record_of(decision.act, person, now, decision.detail)
    announcement = announce(room, decision.event, now) if decision.event else None
    return Step(before, decision.after, done, announcement)


async def settle(room: Newsroom, kept: Kept) -> None:
    """Write the lines that the last act still owes, before the next one takes its place.

    Raises `StorageUnavailable`: an act that would leave another without its line is not done.
    """
    if kept.unrecorded:
        await _write_lines(room, kept.copy, kept.unrecorded)


async def record(room: Newsroom, copy: WorkingCopy, done: ActRecord) -> None:
    """Write the revision and audit lines of an accepted act, and keep its slug if it is public.

    The act stands whatever happens here: what cannot be written now, the repair loop writes later.
    """
    try:
        await _write_lines(room, copy, done)
    except StorageUnavailable as error:
        log.warning("records will follow", article=copy.id, error=str(error))


async def _write_lines(room: Newsroom, copy: WorkingCopy, done: ActRecord) -> None:
    writes: list[Awaitable[None]] = [
        room.records.revision(copy, done),
        room.records.audit(f"{copy.id}:{copy.revision}", done, copy.id),
    ]
    if copy.live and copy.live.revision == copy.revision:
        writes.append(room.slugs.keep(copy.live.slug, copy.id, done.at))
    await asyncio.gather(*writes)
    await room.articles.recorded(copy.id, copy.revision)


def record_of(
    act: Act, person: Identity, now: datetime, detail: dict[str, Any] | None = None
) -> ActRecord:
    return ActRecord(act.value, person.subject, person.name, now, detail or {})


def event_of(data: EventData, subject: str, make_id: NewId, now: datetime) -> Outgoing:
    """The event on the wire; its id and trace are fixed here, at write time."""
    return write_event(
        data,
        id=make_id(),
        source=SOURCE,
        subject=subject,
        time=now,
        traceparent=current_traceparent(),
    ).outgoing()


def announce(room: Newsroom, data: ArticleEvent, now: datetime) -> Announcement:
    """The event of a public act, to be written with it."""
    return Announcement(
        event_of(data, data.article.id, room.make_id, now),
        data,
        room.expected_services,
        now + REPAIR_BACKOFF[0],
    )
