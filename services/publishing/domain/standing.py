"""What is arranged around an article beside its words: review, schedule, a missed one, a wish to retract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from services.publishing.domain.errors import Invalid
from services.publishing.domain.fields import Text, Written
from shared.contracts.base import Instant

FURTHEST = timedelta(days=3660)
"""Nobody plans further ahead; a longer way is a slip of the keyboard."""


@dataclass(frozen=True)
class Signed:
    """Who did it, and when."""

    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True)
class Review(Signed):
    """The last submission or return. `note` is what the reviewer wrote; None for a submission."""

    note: str | None = None


@dataclass(frozen=True)
class RetractionRequest(Signed):
    """Somebody wants it retracted; a second person confirms or declines."""

    reason: str


@dataclass(frozen=True)
class Schedule(Signed):
    """When it becomes public. Later than `latest` it does not: nobody wants yesterday's news at noon."""

    due: datetime
    latest: datetime


@dataclass(frozen=True)
class Missed:
    """A schedule that did not come true, and why; it stays until the article is published or rescheduled."""

    due: datetime
    at: datetime
    reason: str


class ScheduleText(Written):
    """When to publish, as an instant with its zone. `lateness_minutes` is how late is still welcome."""

    at: Instant
    lateness_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] | None = None

    def planned(self, by: Signed, lateness: timedelta) -> Schedule:
        """Raises `Invalid` naming `at` for what is past or absurdly far."""
        if self.at <= by.at:
            raise Invalid({"at": f"must lie in the future; it is {by.at.isoformat()}"})
        if self.at - by.at > FURTHEST:
            raise Invalid({"at": "must lie within the next ten years"})
        if self.lateness_minutes is not None:
            lateness = timedelta(minutes=self.lateness_minutes)
        return Schedule(by.by, by.by_name, by.at, self.at, self.at + lateness)


class ReturnText(Written):
    """What the author should change."""

    note: Annotated[Text, Field(min_length=1, max_length=5000)]


@dataclass(frozen=True)
class Standing:
    """Everything of this module that an article has.

    Once it is public or withdrawn only the wish to retract is left, until it is done or declined.
    """

    review: Review | None = None
    schedule: Schedule | None = None
    missed: Missed | None = None
    retraction_request: RetractionRequest | None = None
