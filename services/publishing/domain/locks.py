"""The edit lock: who is at work on an article. Advisory: what guards the text is `If-Match` alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from services.publishing.domain.errors import PublishingError
from services.publishing.domain.fields import Written

LIFETIME = timedelta(seconds=60)
"""After the last heartbeat; an editor's page sends one every 20 s, so that two may be lost."""

Session = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""One open page of one person, by a name the page chose for itself."""


class LockText(Written):
    """Acquires the lock or renews it. `take_over` takes it from whoever holds it."""

    session: Session
    take_over: bool = False


@dataclass(frozen=True)
class Holder:
    """One person at one page."""

    person: str
    name: str
    session: str

    def same(self, other: Holder) -> bool:
        """Whether it is the same page; a person may have changed their name meanwhile."""
        return (self.person, self.session) == (other.person, other.session)


@dataclass(frozen=True)
class TakeOver:
    """The last time that the lock was taken from somebody who still held it."""

    id: str
    loser: Holder
    """Has not been told yet."""
    since: datetime
    """When the loser had got it."""
    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True)
class Lock:
    """The lock as it stands; over once `expires_at` has come."""

    holder: Holder
    since: datetime
    expires_at: datetime
    take_over: TakeOver | None = None

    def live(self, now: datetime) -> bool:
        return self.expires_at > now


class Held(PublishingError):
    """Raised when the edit lock is another's; `taken` where it was this caller's until then."""

    def __init__(self, lock: Lock, taken: TakeOver | None) -> None:
        if taken:
            text = f"{taken.by_name} took it over at {taken.at.isoformat()}"
        else:
            text = f"{lock.holder.name} is editing since {lock.since.isoformat()}"
        super().__init__(text)
        self.lock = lock
        self.taken = taken
