"""Level-triggered repair: what a service has not reported in time is announced again until it has.

Promises that a lost message, a wiped broker or a crash between two writes heals by itself. Never
changes an article or its revision.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog

from services.publishing.store.articles import ArticleStore
from services.publishing.store.board import BoardStore
from services.publishing.store.repairs import Due, RepairStore
from services.publishing.usecases.change import REPAIR_BACKOFF, event_of, record
from services.publishing.usecases.ports import Newsroom
from services.publishing.usecases.trash import finish
from shared.contracts.events import Outgoing
from shared.contracts.outlets import OperatorAlert

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
BATCH = 100
ALERT_AT = 3
"""The repair that also calls an operator: one or two are a restart, three are a fault."""
RECORDS_AFTER = timedelta(seconds=5)
"""Younger acts are still being recorded by the process that accepted them."""


class Repair:
    """The step of the repair loop."""

    def __init__(
        self,
        room: Newsroom,
        articles: ArticleStore,
        board: BoardStore,
        repairs: RepairStore,
        wake: Callable[[str], None],
    ) -> None:
        self._room = room
        self._articles = articles
        self._board = board
        self._repairs = repairs
        self._wake = wake

    async def step(self) -> float:
        """Repair what is due; answers the seconds until the next look."""
        now = self._room.clock.now()
        for kept in await self._articles.unrecorded(now - RECORDS_AFTER, BATCH):
            if kept.unrecorded:
                await record(self._room, kept.copy, kept.unrecorded)
        for deleted in await self._room.trash.unrecorded(now - RECORDS_AFTER, BATCH):
            await finish(self._room, deleted)
        found = await self._repairs.due(now, BATCH)
        for due in found:
            await self._repair(due)
        return 0.0 if len(found) == BATCH else EVERY_SECONDS

    async def _repair(self, due: Due) -> None:
        unfinished = await self._board.unfinished(due.id)
        if not due.awaiting and not unfinished:
            await self._repairs.settle(due)
            if await self._board.unfinished(due.id):  # it came in between
                await self._board.watch(due.id, self._room.clock.now() + REPAIR_BACKOFF[0])
            return
        now = self._room.clock.now()
        events = [event_of(due.announcement, due.id, self._room.make_id, now)]
        if due.count + 1 == ALERT_AT:
            events.append(self._alert(due, unfinished))
        pause = REPAIR_BACKOFF[min(due.count, len(REPAIR_BACKOFF) - 1)]
        if await self._repairs.repeat(due, events, now, now + pause):
            log.warning(
                "announced again",
                article=due.id,
                awaiting=due.awaiting,
                unfinished=unfinished,
                time=due.count + 1,
            )
            self._wake(due.id)

    def _alert(self, due: Due, unfinished: list[str]) -> Outgoing:
        now = self._room.clock.now()
        owing = [f"no report from {service}" for service in due.awaiting]
        owing += [f"unfinished at {outlet}" for outlet in unfinished]
        alert = OperatorAlert(
            severity="warning",
            fingerprint=f"fanout:{due.id}",
            title="An article is not everywhere it should be",
            detail=f"{due.announcement.article.headline}: {', '.join(owing)}",
            article_id=due.id,
            at=now,
        )
        return event_of(alert, due.id, self._room.make_id, now)
