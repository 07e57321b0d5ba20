"""What a bus promises, whichever broker is behind it. Never loses a message that `publish` returned for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing

Handler = Callable[[Event[EventData]], Awaitable[None]]
"""Local work only, idempotent. Returning is the acknowledgement; raising sends it up the retry ladder."""

LADDER_SECONDS = (5, 30, 300, 3600)
"""How long a failed message waits before it comes back to its own queue; after the last it is parked."""

EXCHANGE = "herald.events"


class BusError(Exception):
    """Base of what a bus raises."""


class Unroutable(BusError):
    """Raised when no queue took the message: the topology is missing."""


class BrokerUnavailable(BusError):
    """Raised when the broker did not confirm in time, refused, or cannot be reached."""


class Park(Exception):
    """Raised by a handler for a message no repetition can help: it is parked at once."""


@dataclass(frozen=True)
class Subscription:
    """One durable queue and what flows into it. `topics` are AMQP topic patterns."""

    queue: str
    topics: tuple[str, ...]
    prefetch: int = 8


@dataclass(frozen=True)
class DeadLetter:
    """A parked message and why it is there."""

    id: str
    """The event's id, or a digest of the body where it is not an event at all."""
    queue: str
    """Where it was consumed from; a replay puts it back there."""
    body: bytes
    error: str
    attempts: int
    failed_at: datetime | None


class Bus(Protocol):
    """RabbitMQ or its in-process twin; one contract suite runs over both."""

    async def declare(self, subscriptions: tuple[Subscription, ...]) -> None:
        """The topology step: exchange, queues, bindings, ladder, parking. Idempotent."""

    async def publish(self, message: Outgoing) -> None:
        """Return only once the broker keeps the message. Raises `Unroutable` or `BrokerUnavailable`."""

    async def subscribe(self, subscription: Subscription, handler: Handler) -> None:
        """Start consuming, and keep consuming through every loss of connection, until `stop`."""

    async def stop(self, grace: float = 20.0) -> None:
        """Take no more messages, let running handlers finish for `grace` seconds, hand back the rest."""

    async def close(self) -> None:
        """Drop the connection. Call `stop` first."""

    def consuming(self) -> dict[str, bool]:
        """Queue -> whether a live consumer of ours is attached to it; readiness is made from this."""

    async def dead_letters(self, queue: str) -> list[DeadLetter]:
        """Look at what is parked for `queue`; nothing is taken away."""

    async def replay(self, queue: str, ids: set[str] | None = None) -> int:
        """Put parked messages back at the start of the ladder; all of them when `ids` is None."""

    async def discard(self, queue: str, ids: set[str]) -> int:
        """Remove parked messages for good."""
