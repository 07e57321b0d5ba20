"""Every refusal publishing knows, in its own words. Never mentions HTTP."""

from __future__ import annotations

from shared.contracts.articles import Status


class PublishingError(Exception):
    """Base of every refusal."""


class NoSuch(PublishingError):
    """Raised when there is no article, author, person, token, revision or picture with this id."""

    def __init__(self, what: str, field: str = "id") -> None:
        super().__init__(f"there is no such {what}")
        self.what = what
        self.field = field


class Stale(PublishingError):
    """Raised when the caller saw another revision than the one that stands."""

    def __init__(self, current: int, what: str = "article") -> None:
        super().__init__(f"the {what} is at revision {current}")
        self.current = current
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
