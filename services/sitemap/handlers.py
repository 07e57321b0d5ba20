"""Events in: article snapshots change entries and documents, revoked tokens are remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.sitemap.usecases import Sitemaps
from shared.contracts.outlets import OutletLine
from shared.storage.held import Held


class Listing:
    """Applies a held snapshot, then has the archive follow."""

    def __init__(self, sitemaps: Sitemaps, wake_refresh: Callable[[], None]) -> None:
        self._sitemaps = sitemaps
        self._wake_refresh = wake_refresh

    async def apply(self, held: Held) -> Sequence[OutletLine]:
        lines = await self._sitemaps.apply(held)
        self._wake_refresh()
        return lines
