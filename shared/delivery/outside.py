"""What a service teaches the worker about its outlets, and the verdicts its guards give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from shared.contracts.outlets import DeliveryState
from shared.delivery.model import Delivery, Document, Lanes


@dataclass(frozen=True)
class Go:
    """The guards let it pass."""


@dataclass(frozen=True)
class Hold:
    """Not now: paused, embargoed, or the page is not live yet."""

    seconds: float
    reason: str


@dataclass(frozen=True)
class Drop:
    """Never: retracted, superseded, or too late."""

    state: DeliveryState
    reason: str


Verdict = Go | Hold | Drop


@dataclass(frozen=True)
class Leave:
    """Nothing is to be done here; the board shows why."""

    reason: str = "nothing to change here"
    result: Document | None = None
    """What the outlet's result is from now on, if not the one before."""


@dataclass(frozen=True)
class Task:
    """Only a person can do it."""

    words: str
    """What to do, and where."""
    result: Document
    """What the outlet's result is once they have done it."""
    announce: Callable[[], Awaitable[None]]
    """Tells operators; may be called more than once for one task."""


@dataclass(frozen=True)
class Composed:
    """A payload and the article revision it was made from."""

    payload: Document
    revision: int


class Outside(Protocol):
    """What a service teaches the worker about its outlets."""

    async def admit(self, delivery: Delivery) -> Verdict:
        """Whether to begin at all, asked first: what is held here is not even composed."""

    async def ready(self, delivery: Delivery) -> Verdict:
        """Slow conditions, asked while composing: embargo, lateness, the article's page answers."""

    async def guard(self, delivery: Delivery) -> Verdict:
        """Read the switches and the newest snapshot again, just before sending."""

    async def compose(
        self, delivery: Delivery, previous: Document | None
    ) -> Composed | Leave | Task:
        """The exact payload, or that nothing is to be done, or that a person has to do it.

        `previous` is the result of the thread's last confirmed operation.
        """

    async def send(self, delivery: Delivery, previous: Document | None) -> Document | None:
        """Perform `delivery.payload`; the result to remember. Raises the four delivery errors."""

    async def find(self, delivery: Delivery, previous: Document | None) -> Document | None:
        """Look the effect up; None when it certainly did not happen, or may begin anew without harm."""

    def idempotent(self, delivery: Delivery) -> bool:
        """Sending the same payload again cannot do it twice."""

    def can_find(self, delivery: Delivery) -> bool:
        """`find` gives a certain answer for this delivery."""

    async def throttled(self, delivery: Delivery, seconds: float, reason: str) -> None:
        """The outside asked the whole account to slow down."""

    async def auth_dead(self, delivery: Delivery, reason: str) -> None:
        """The credentials died: pause the account and tell an operator."""

    async def blocked(self) -> Lanes:
        """Outlets to leave alone for now (paused, throttled), in each lane."""
