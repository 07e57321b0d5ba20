"""Choose the bus by its address. Never connects: a broker that is down is not an error here."""

from __future__ import annotations

from shared.messaging.bus import LADDER_SECONDS, Bus
from shared.messaging.memory import MemoryBus
from shared.messaging.rabbit import RabbitBus


def open_bus(
    url: str,
    *,
    ladder: tuple[float, ...] = LADDER_SECONDS,
    pause_on: tuple[type[Exception], ...] = (),
) -> Bus:
    """`memory://` is the in-process twin, `amqp://` and `amqps://` are RabbitMQ.

    `ladder` is in seconds. `pause_on` are the errors of a handler that mean "nothing can be
    handled now": the message waits with its consumer. Raises ValueError for any other scheme.
    """
    if url.startswith("memory://"):
        return MemoryBus(ladder=ladder, pause_on=pause_on)
    if url.startswith(("amqp://", "amqps://")):
        return RabbitBus(url, ladder=ladder, pause_on=pause_on)
    raise ValueError("the bus address must start with memory://, amqp:// or amqps://")
