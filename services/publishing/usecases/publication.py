"""Making articles public, correcting them and taking them back: the acts the whole fan-out follows."""

from __future__ import annotations

from datetime import datetime

from services.publishing.domain import acts, arrangements
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import CorrectionText, RetractionText
from services.publishing.domain.errors import Invalid
from services.publishing.domain.standing import FURTHEST, Schedule
from services.publishing.domain.states import Act, transition
from services.publishing.usecases.change import change
from services.publishing.usecases.ports import Newsroom
from services.publishing.usecases.review import signed
from shared.contracts.articles import Status
from shared.web.identity import Identity


async def publish(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Publish an article, or bring a public one up to its working copy without a notice.

    Under an embargo it becomes scheduled for the instant at which the embargo ends. This and every
    act here raise `NoSuch`, `Stale` or `WrongStatus`; this one also `Invalid` for what is missing
    and `Conflict` when nothing differs.
    """

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        transition(Act.PUBLISH, copy.status)
        until = acts.embargoed(copy, now)
        if until is None or copy.status is Status.PUBLISHED:
            return acts.publish(copy, now, room.public_url)
        if until - now > FURTHEST:
            raise Invalid({"embargo_until": "must lie within the next ten years"})
        by = signed(person, now)
        plan = Schedule(by.by, by.by_name, by.at, until, until + room.schedule_lateness)
        return arrangements.schedule(copy, plan)

    return await change(room, article_id, expected, person, decide)


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

    return await change(room, article_id, expected, person, decide)


async def retract(
    room: Newsroom,
    article_id: str,
    expected: int | None,
    retraction: RetractionText,
    person: Identity,
) -> WorkingCopy:
    """Take it back for good, everywhere it went; or ask a second person to, where the setting says so."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        if room.second_person_retracts:
            return arrangements.ask_retraction(copy, signed(person, now), retraction.reason)
        return acts.retract(copy, now, retraction.reason)

    return await change(room, article_id, expected, person, decide)


async def confirm_retraction(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Retract as somebody else asked. Raises also `Conflict` without a request, `NotAllowed` for one's own."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        return arrangements.confirm_retraction(copy, signed(person, now))

    return await change(room, article_id, expected, person, decide)


async def decline_retraction(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Let the article stand, or take one's own request back. Raises `Conflict` without a request."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        return arrangements.decline_retraction(copy, now)

    return await change(room, article_id, expected, person, decide)


async def unpublish(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Withdraw it quietly; it may be published again."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        return acts.unpublish(copy, now)

    return await change(room, article_id, expected, person, decide)
