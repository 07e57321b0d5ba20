"""Events in: what outlets report becomes the fan-out board. Local work only, idempotent."""

from __future__ import annotations

from collections.abc import Callable

from services.publishing.store.board import BoardStore
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
        revocations: Revocations,
        clock: Clock,
        changed: Callable[[str], None],
    ) -> None:
        self._board = board
        self._revocations = revocations
        self._clock = clock
        self._changed = changed

    async def handle(self, event: Event[EventData]) -> None:
        if isinstance(event.data, OutletReported):
            await self._report(event.data)
        elif isinstance(event.data, TokenRevoked):
            await self._revocations.add(event.data.token_id, event.data.expires_at)

    async def _report(self, report: OutletReported) -> None:
        now = self._clock.now()
        await self._board.take(report, now)
        self._changed(report.article_id)
        # Each report looks after its own writes, so the last of two at a time sees both.
        if await self._board.unfinished(report.article_id) or await self._board.awaiting(
            report.article_id
        ):
            await self._board.watch(report.article_id, now + REPAIR_BACKOFF[0])
        else:
            await self._board.settle(report.article_id)
