"""Events in: article snapshots change entries and documents, revoked tokens are remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.sitemap.usecases import Sitemaps
from shared.contracts.base import EventData
from shared.contracts.events import Event
from shared.contracts.identity import TokenRevoked
from shared.contracts.outlets import OutletLine
from shared.delivery.intake import ArticleIntake
from shared.storage.held import Held
from shared.web.identity import Revocations


class Listing:
    """Applies a held snapshot, then has the archive follow."""

    def __init__(self, sitemaps: Sitemaps, wake_refresh: Callable[[], None]) -> None:
        self._sitemaps = sitemaps
        self._wake_refresh = wake_refresh

    async def apply(self, held: Held) -> Sequence[OutletLine]:
        lines = await self._sitemaps.apply(held)
        self._wake_refresh()
        return lines


class Handlers:
    """What each queue's messages do."""

    def __init__(self, intake: ArticleIntake, revocations: Revocations) -> None:
        self._intake = intake
        self._revocations = revocations

    async def handle(self, event: Event[EventData]) -> None:
        if isinstance(event.data, TokenRevoked):
            await self._revocations.add(event.data.token_id, event.data.expires_at)
        else:
            await self._intake.handle(event)
