"""Making articles public, correcting them and taking them back: the acts the whole fan-out follows."""

from __future__ import annotations

from datetime import datetime

from services.publishing.domain import acts
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import CorrectionText, RetractionText
from services.publishing.domain.states import Act
from services.publishing.usecases.change import change
from services.publishing.usecases.ports import Newsroom
from shared.web.identity import Identity


async def publish(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Publish a draft, or bring a public article up to its working copy without a notice.

    This and every act here raise `NoSuch`, `Stale` or `WrongStatus`; this one also `Invalid` for
    what is missing and `Conflict` for an embargo or when nothing differs.
    """

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        return acts.publish(copy, now, room.public_url)

    return await change(room, article_id, expected, person, Act.PUBLISH, decide)


async def correct(
    room: Newsroom,
    article_id: str,
    expected: int | None,
    correction: CorrectionText,
    person: Identity,
) -> WorkingCopy:
    """Bring the public article up to its working copy with a notice. Raises as `publish`."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        return acts.correct(copy, now, room.public_url, correction)

    return await change(room, article_id, expected, person, Act.CORRECT, decide)


async def retract(
    room: Newsroom,
    article_id: str,
    expected: int | None,
    retraction: RetractionText,
    person: Identity,
) -> WorkingCopy:
    """Take it back for good, everywhere it went."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        return acts.retract(copy, now, retraction.reason)

    return await change(room, article_id, expected, person, Act.RETRACT, decide)


async def unpublish(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Withdraw it quietly; it may be published again."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        return acts.unpublish(copy, now)

    return await change(room, article_id, expected, person, Act.UNPUBLISH, decide)
