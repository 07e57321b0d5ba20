"""What exists on the broker: one exchange, each subscription's queue, its parking queue and the shared ladder.

Pure description plus one function that declares it. Never changes the arguments of a queue that
exists: new arguments need a new queue name (RabbitMQ answers PRECONDITION_FAILED otherwise).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from pamqp.common import Arguments

from shared.messaging.bus import EXCHANGE, LADDER_SECONDS, Subscription

DELIVERY_LIMIT = 20
"""How often a message may come back unacknowledged (a crashing process) before the broker parks it."""

_LOOKED_AT_LIMIT = 1_000_000
"""Every look at a parking queue counts as a delivery, and RabbitMQ 4 drops at 20 unless told otherwise."""

_UNITS = ((3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"))


@dataclass(frozen=True)
class Rung:
    """One waiting place of the ladder: a fanout exchange and a queue of the same name."""

    seconds: float

    @property
    def milliseconds(self) -> int:
        return round(self.seconds * 1000)

    @property
    def name(self) -> str:
        """`herald.retry.` and the delay in its largest whole unit: 5s, 5m, 1h, 150ms."""
        size, unit = next(u for u in _UNITS if self.milliseconds % u[0] == 0)
        return f"herald.retry.{self.milliseconds // size}{unit}"

    @property
    def arguments(self) -> Arguments:
        """No dead-letter routing key: a message returns to the queue that is its routing key."""
        return {
            "x-queue-type": "quorum",
            "x-message-ttl": self.milliseconds,
            "x-dead-letter-exchange": "",
            # Without these two an expired message can be lost on its way back (at-most-once).
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }


def rungs(seconds: tuple[float, ...] = LADDER_SECONDS) -> tuple[Rung, ...]:
    """The ladder; raises ValueError where a delay is below a millisecond."""
    ladder = tuple(Rung(delay) for delay in seconds)
    if any(rung.milliseconds < 1 for rung in ladder):
        raise ValueError("a rung of the ladder waits at least one millisecond")
    return ladder


def parking(queue: str) -> str:
    """The name of the queue that keeps what `queue` could not digest."""
    return f"{queue}.dead"


def queue_arguments(queue: str) -> Arguments:
    """What correctness needs is in code; what operators tune (lengths) belongs in broker policies."""
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": parking(queue),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": DELIVERY_LIMIT,
    }


def parking_arguments() -> Arguments:
    """A plain quorum queue that never dead-letters and never drops by delivery count."""
    return {"x-queue-type": "quorum", "x-delivery-limit": _LOOKED_AT_LIMIT}


async def declare(
    channel: AbstractChannel, subscriptions: Iterable[Subscription], ladder: tuple[Rung, ...]
) -> None:
    """Make everything exist; what exists already is left as it is. Parking comes before its queue."""
    exchange = await channel.declare_exchange(EXCHANGE, ExchangeType.TOPIC, durable=True)
    for rung in ladder:
        waiting = await channel.declare_queue(rung.name, durable=True, arguments=rung.arguments)
        fanout = await channel.declare_exchange(rung.name, ExchangeType.FANOUT, durable=True)
        await waiting.bind(fanout)
    for subscription in subscriptions:
        name = subscription.queue
        await channel.declare_queue(parking(name), durable=True, arguments=parking_arguments())
        queue = await channel.declare_queue(name, durable=True, arguments=queue_arguments(name))
        for topic in subscription.topics:
            await queue.bind(exchange, topic)


def matches(pattern: str, key: str) -> bool:
    """Whether a topic pattern takes a routing key: `*` is one word, `#` any number, none included.

    Source: AMQP 0-9-1, 3.1.3.3, the topic exchange type.
    """
    # `reached` holds how many words of the pattern may be used up after each word of the key.
    words = pattern.split(".")

    def skip_hashes(positions: set[int]) -> set[int]:
        for position in sorted(positions):
            while position < len(words) and words[position] == "#":
                position += 1
                positions.add(position)
        return positions

    reached = skip_hashes({0})
    for word in key.split("."):
        following: set[int] = set()
        for position in reached:
            if position == len(words):
                continue
            if words[position] == "#":
                following.add(position)
            elif words[position] in ("*", word):
                following.add(position + 1)
        reached = skip_hashes(following)
    return len(words) in reached
