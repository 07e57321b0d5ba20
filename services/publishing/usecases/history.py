"""Comparing a revision with another one, with the article as it stands, or with what readers have."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.domain.differences import (
    Change,
    as_readers_see,
    as_readers_would_see,
    changes,
    written,
)
from services.publishing.domain.errors import NoSuch
from services.publishing.usecases.change import load
from services.publishing.usecases.ports import Kept, Newsroom
from services.publishing.usecases.references import resolved

Against = int | Literal["before", "live", "current"]


@dataclass(frozen=True)
class Difference:
    """From one revision to another; `start` is 0 where the article was not there yet."""

    start: int
    end: int
    changes: list[Change]


async def difference(
    room: Newsroom, article_id: str, revision: int, against: Against
) -> Difference:
    """What `revision` has that `against` has not, and the other way round. Raises `NoSuch`."""
    copy = await recorded(room, article_id, revision)
    before, after, start = await _sides(room, copy, against)
    return Difference(start, revision, await asyncio.to_thread(changes, before, after))


async def _sides(
    room: Newsroom, copy: WorkingCopy, against: Against
) -> tuple[dict[str, Any], dict[str, Any], int]:
    match against:
        case "live":
            live = (await load(room, copy.id)).copy.live
            if live is None:
                raise NoSuch("public version", "against")
            (whole,) = await resolved(room, [Kept(copy)])
            after = as_readers_would_see(whole.copy, room.public_url)
            return as_readers_see(live), after, live.revision
        case "current":
            other = (await load(room, copy.id)).copy
        case "before":
            # What was numbered in between was never an article: a deletion that was taken back.
            found = await room.records.newest_until(copy.id, copy.revision - 1)
            if found is None:
                return Content().model_dump(), written(copy), 0
            other = found
        case number:
            other = await recorded(room, copy.id, number, "against")
    return written(other), written(copy), other.revision


async def recorded(
    room: Newsroom, article_id: str, revision: int, field: str = "revision"
) -> WorkingCopy:
    """The article as it was at this very revision. Raises `NoSuch` naming `field`."""
    found = await room.records.newest_until(article_id, revision)
    if found is None or found.revision != revision:
        raise NoSuch("revision", field)
    return found
