"""What happens to an article before it is public: submitted, given back, scheduled, taken off the schedule."""

from __future__ import annotations

from datetime import datetime

from services.publishing.domain import acts, arrangements
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.errors import NotAllowed
from services.publishing.domain.standing import ReturnText, ScheduleText, Signed
from services.publishing.domain.states import Act, may
from services.publishing.usecases.change import change
from services.publishing.usecases.ports import Newsroom
from shared.web.identity import Identity


def signed(person: Identity, now: datetime) -> Signed:
    return Signed(person.subject, person.name, now)


def allow(act: Act, copy: WorkingCopy, person: Identity) -> None:
    """Raises `WrongStatus` where nobody may, `NotAllowed` where this person may not."""
    own = copy.created_by == person.subject
    if not may(act, copy.status, person.role, own=own):
        raise NotAllowed(f"a contributor may {act.value} only what is their own and not yet public")


async def submit(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Hand an article to the reviewers.

    This and every act here raise `NoSuch`, `Stale`, `WrongStatus` or `NotAllowed`.
    """

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        allow(Act.SUBMIT, copy, person)
        return arrangements.submit(copy, signed(person, now))

    return await change(room, article_id, expected, person, decide)


async def give_back(
    room: Newsroom, article_id: str, expected: int | None, given: ReturnText, person: Identity
) -> WorkingCopy:
    """Return an article from review, with a note; its author may take it back so, too."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        allow(Act.RETURN, copy, person)
        return arrangements.give_back(copy, signed(person, now), given.note)

    return await change(room, article_id, expected, person, decide)


async def schedule(
    room: Newsroom, article_id: str, expected: int | None, wanted: ScheduleText, person: Identity
) -> WorkingCopy:
    """Have it published at an instant. Raises also `Invalid` and `Conflict`."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        allow(Act.SCHEDULE, copy, person)
        plan = wanted.planned(signed(person, now), room.schedule_lateness)
        return arrangements.schedule(copy, plan)

    return await change(room, article_id, expected, person, decide)


async def unschedule(
    room: Newsroom, article_id: str, expected: int | None, person: Identity
) -> WorkingCopy:
    """Take it off the schedule."""

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision:
        allow(Act.UNSCHEDULE, copy, person)
        return arrangements.unschedule(copy, now)

    return await change(room, article_id, expected, person, decide)
