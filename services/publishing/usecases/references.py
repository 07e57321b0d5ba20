"""Looking up what articles name elsewhere: their authors' profiles and their related articles."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.publishing.domain.article import References
from services.publishing.domain.content import Content
from services.publishing.usecases.ports import Kept, Newsroom


async def look_up(room: Newsroom, *contents: Content) -> References:
    """All that these name, as it stands now; where nothing is named, nothing is asked."""
    slugs = {byline.author for one in contents for byline in one.bylines if byline.author}
    ids = {id for one in contents for id in one.related}
    authors, related = await asyncio.gather(room.authors.named(slugs), room.articles.statuses(ids))
    return References(authors, related)


async def resolved(room: Newsroom, articles: Sequence[Kept]) -> list[Kept]:
    """The same articles with what they name, from one look-up for all of them."""
    found = await look_up(room, *(kept.copy.content for kept in articles))
    return [replace(kept, copy=replace(kept.copy, references=found)) for kept in articles]
