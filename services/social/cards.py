"""Articles' cards as channels take pictures: their addresses, and their bytes. Never stores, never posts.

The site draws what networks fetch; a card that the site does not show yet, of a snapshot that is only
previewed or has just come, is drawn here from the same values to the same bytes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping

from services.social.channels.base import FetchMedia
from shared.cards.card import Card, Size, as_image, card
from shared.cards.drawing import draw
from shared.contracts.articles import Article, LeadImage
from shared.delivery.errors import TryAgain
from shared.runtime.publication import Publication

REMEMBERED = 500
"""Cards of the articles composed last: a few hundred bytes each."""


class Cards:
    """`own` reads the pictures at our own addresses."""

    def __init__(self, publication: Publication, public_url: str, own: FetchMedia) -> None:
        self._publication = publication
        self._public_url = public_url
        self._own = own
        self._known: OrderedDict[str, Card] = OrderedDict()
        self._drawing = asyncio.Lock()

    def of(self, article: Article) -> Mapping[str, LeadImage]:
        """The article's card in each size, by the name of the size."""
        found = {}
        for size in Size:
            made = card(article, self._publication, self._public_url, size)
            self._known[self._public_url + made.path] = made
            found[size.value] = as_image(made, self._public_url)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    async def fetch(self, url: str) -> bytes:
        """The bytes of a picture or card of ours. Raises `TryAgain` or `GiveUp`."""
        try:
            return await self._own(url)
        except TryAgain:
            known = self._known.get(url)
            if known is None:
                raise
        photograph = await self._own(known.picture.url) if known.picture else None
        async with self._drawing:
            return await asyncio.to_thread(draw, known, photograph)
