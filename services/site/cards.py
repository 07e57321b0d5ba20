"""Cards of articles on the site: drawn once, when first asked for, and kept. Never one of a withdrawn article."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from services.site.domain.presence import Presence, presence
from services.site.domain.views import Place
from shared.cards.card import CARD_PATH, Size, card
from shared.cards.drawing import draw
from shared.storage.held import HeldArticles


class CardStore(Protocol):
    """Drawn cards by path."""

    async def put(self, path: str, content: bytes) -> None: ...

    async def get(self, path: str) -> bytes | None: ...


class Cards:
    """Draws in a thread, one card at a time: a burst of crawlers never takes the pages' processors.

    Only the card that an article has now is drawn. One that it had before is served if anybody has
    asked for it then: what a post was composed with is what is sent, although a correction came since.
    """

    def __init__(
        self,
        held: HeldArticles,
        store: CardStore,
        place: Place,
        photograph: Callable[[str], Awaitable[bytes]],
    ) -> None:
        self._held = held
        self._store = store
        self._place = place
        self._photograph = photograph
        self._drawing = asyncio.Lock()

    async def at(self, path: str) -> bytes | Presence:
        """The JPEG, or why there is none. Raises `TryAgain` while the photograph cannot be read."""
        named = CARD_PATH.fullmatch(path)
        known = await self._held.get(named[1]) if named else None
        if named is None or known is None:
            return Presence.ABSENT
        there = presence(known.article)
        if there is not Presence.SHOWN:
            return there
        if kept := await self._store.get(path):
            return kept
        wanted = card(
            known.article, self._place.publication, self._place.public_url, Size(named[3])
        )
        if wanted.path != path:
            return Presence.ABSENT
        async with self._drawing:
            if kept := await self._store.get(path):
                return kept
            photograph = await self._photograph(wanted.picture.url) if wanted.picture else None
            drawn = await asyncio.to_thread(draw, wanted, photograph)
            await self._store.put(path, drawn)
        return drawn
