"""Events in: what outlets report becomes the fan-out board. Local work only, idempotent."""

from __future__ import annotations

from collections.abc import Callable

from services.publishing.store.board import BoardStore
from services.publishing.store.figures import FigureStore
from services.publishing.usecases.change import REPAIR_BACKOFF
from shared.contracts.base import EventData
from shared.contracts.events import Event
from shared.contracts.identity import TokenRevoked
from shared.contracts.outlets import OutletReported
from shared.runtime.clock import Clock
from shared.web.identity import Revocations


class Handlers:
    """What each message on our queue does."""

    def __init__(
        self,
        board: BoardStore,
        figures: FigureStore,
        revocations: Revocations,
        clock: Clock,
        changed: Callable[[str], None],
    ) -> None:
        self._board = board
        self._figures = figures
        self._revocations = revocations
        self._clock = clock
        self._changed = changed

    async def handle(self, event: Event[EventData]) -> None:
        if isinstance(event.data, OutletReported):
            await self._report(event.data)
        elif isinstance(event.data, TokenRevoked):
            await self._revocations.add(event.data.token_id, event.data.expires_at)

    async def _report(self, report: OutletReported) -> None:
        article_id, now = report.article_id, self._clock.now()
        await self._figures.take(report)
        if report.partial and not report.lines:
            return  # figures say nothing of what was delivered
        await self._board.take(report, now)
        self._changed(article_id)
        # Each report looks after its own writes, so the last of two at a time sees both.
        owed = await self._board.unfinished(article_id) or await self._board.awaiting(article_id)
        if not owed:
            await self._board.settle(article_id)
            # A line that came between the look and this was not watched: the repair still stood.
            owed = await self._board.unfinished(article_id)
        if owed:
            await self._board.watch(article_id, now + REPAIR_BACKOFF[0])
