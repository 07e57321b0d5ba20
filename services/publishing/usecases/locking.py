"""Acquiring, renewing, taking over and releasing the edit lock of an article. Guards nothing by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.publishing.domain.errors import Conflict
from services.publishing.domain.locks import Held, Holder, Lock, LockText
from services.publishing.domain.states import Act
from services.publishing.usecases.change import RACES, load
from services.publishing.usecases.ports import ActRecord, Newsroom
from services.publishing.usecases.review import allow
from shared.web.identity import Identity


class Locks(Protocol):
    """One lock for each article; each write is one conditional update."""

    async def take(
        self, article_id: str, holder: Holder, now: datetime, take_over: str | None
    ) -> Lock | None:
        """The holder's lock, new or renewed; None where it is another's, or was taken from this one.

        With the id of a `take_over` it becomes the holder's whoever has it.
        """

    async def get(self, article_id: str) -> Lock | None: ...

    async def told(self, article_id: str, loser: Holder) -> None:
        """The one who lost the lock knows of it now, and may acquire it anew."""

    async def release(self, article_id: str, holder: Holder, now: datetime) -> None: ...


async def acquire(
    room: Newsroom, locks: Locks, article_id: str, wanted: LockText, person: Identity
) -> Lock:
    """Acquire, renew or take over.

    Raises `NoSuch`, `WrongStatus` or `NotAllowed` as an edit would, and `Held` where it is another's
    or, once, where it was taken from this page.
    """
    allow(Act.EDIT, (await load(room, article_id)).copy, person)
    holder = Holder(person.subject, person.name, wanted.session)
    take_over = room.make_id() if wanted.take_over else None
    for _ in range(RACES):
        now = room.clock.now()
        lock = await locks.take(article_id, holder, now, take_over)
        if lock is not None:
            taken = lock.take_over
            if taken and taken.id == take_over:
                detail = {"from": taken.loser.person, "from_name": taken.loser.name}
                done = ActRecord("lock.take_over", person.subject, person.name, now, detail)
                await room.records.audit(taken.id, done, article_id)
            return lock
        other = await locks.get(article_id)
        if other is None:
            continue
        taken = other.take_over
        lost = taken is not None and taken.loser.same(holder)
        if lost:
            await locks.told(article_id, holder)
        if lost or other.live(now):
            raise Held(other, taken if lost else None)
    raise Conflict("lock", "it changes hands all the time; try again")


async def release(
    room: Newsroom, locks: Locks, article_id: str, session: str, person: Identity
) -> None:
    """Give up one's own lock; another's stays. Again changes nothing."""
    holder = Holder(person.subject, person.name, session)
    await locks.release(article_id, holder, room.clock.now())


async def held(room: Newsroom, locks: Locks, article_id: str) -> Lock | None:
    """The lock that somebody holds now. Raises `NoSuch`."""
    await load(room, article_id)
    lock = await locks.get(article_id)
    return lock if lock and lock.live(room.clock.now()) else None
