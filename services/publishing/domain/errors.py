"""Every refusal publishing knows, in its own words. Never mentions HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.articles import Status


class PublishingError(Exception):
    """Base of every refusal."""


class NoSuch(PublishingError):
    """Raised when there is no article, author, person, token, revision or picture that `field` names."""

    def __init__(self, what: str, field: str = "id") -> None:
        super().__init__(f"there is no such {what}")
        self.what = what
        self.field = field


@dataclass(frozen=True)
class ChangedField:
    """A field that is not as the caller saw it, and the newest change of it, where that is known."""

    field: str
    by: str | None = None
    by_name: str | None = None
    at: datetime | None = None
    revision: int | None = None


class Stale(PublishingError):
    """Raised when the caller saw another revision than the one that stands.

    `changed` is what differs between the two; None where no revisions are kept.
    """

    def __init__(
        self, current: int, what: str = "article", changed: Sequence[ChangedField] | None = None
    ) -> None:
        super().__init__(f"the {what} is at revision {current}")
        self.current = current
        self.changed = changed
        self.what = what


class WrongStatus(PublishingError):
    """Raised when the state table has no such transition."""

    def __init__(self, act: str, status: Status) -> None:
        super().__init__(f"cannot {act} an article that is {status.value}")
        self.status = status


class Invalid(PublishingError):
    """Raised when fields are wrong or missing. `fields` maps each name to what is wrong with it."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in fields.items()))
        self.fields = fields


class Conflict(PublishingError):
    """Raised when `field` is well formed but stands against what is already there."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotAllowed(PublishingError):
    """Raised when the person's role does not reach this far."""


class BadCredentials(PublishingError):
    """Raised for a wrong password, an unknown e-mail and a disabled person alike."""


class CodeRefused(PublishingError):
    """Raised after the right password, when the second factor's code is missing or wrong."""


class NotProven(PublishingError):
    """Raised when somebody who is signed in cannot show again who they are. `field` is what was wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Throttled(PublishingError):
    """Raised after too many failed sign-ins; `after` is whole seconds."""

    def __init__(self, after: int) -> None:
        super().__init__(f"too many failed sign-ins; try again in {after} s")
        self.after = after
