"""RabbitMQ behind the `Bus` contract. Never fails to construct, and heals a broker that came back empty.

Two connections: one publishes, one consumes. A memory or disk alarm blocks connections that
publish; were the acknowledgements on the same one, the queues could not drain and the alarm never end.
"""

from __future__ import annotations

import asyncio

import structlog
from aio_pika.abc import AbstractConnection

from shared.contracts.events import Outgoing
from shared.messaging import topology
from shared.messaging.attempt import Listener
from shared.messaging.bus import (
    EXCHANGE,
    LADDER_SECONDS,
    BrokerUnavailable,
    BusError,
    DeadLetter,
    Handler,
    Subscription,
    Unroutable,
)
from shared.messaging.connection import Link, broker_errors
from shared.messaging.consumer import Consumer
from shared.messaging.letters import trace_headers
from shared.messaging.metrics import PUBLISHED
from shared.messaging.parking import ParkingLot
from shared.messaging.publisher import Publisher
from shared.runtime.clock import Clock, SystemClock

log = structlog.get_logger(__name__)

_DECLARE_SECONDS = 30.0
_CLOSE_SECONDS = 5.0


class RabbitBus:
    """See `Bus`. `ladder` and `publish_timeout` are in seconds."""

    def __init__(
        self,
        url: str,
        *,
        ladder: tuple[float, ...] = LADDER_SECONDS,
        pause_on: tuple[type[Exception], ...] = (),
        publish_timeout: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        self._ladder = topology.rungs(ladder)
        self._pause_on = pause_on
        self._clock = clock or SystemClock()
        self._known: dict[str, Subscription] = {}
        self._consumers: dict[str, Consumer] = {}
        self._publishing = Link(url, "publishes", self._restore)
        self._consuming = Link(url, "consumes", self._restore)
        self._publisher = Publisher(self._publishing, publish_timeout)
        self._parking = ParkingLot(self._consuming, self._publisher)

    async def declare(self, subscriptions: tuple[Subscription, ...]) -> None:
        self._known.update({each.queue: each for each in subscriptions})
        with broker_errors():
            async with asyncio.timeout(_DECLARE_SECONDS):
                await self._declare(await self._consuming.connection(), subscriptions)

    async def publish(self, message: Outgoing) -> None:
        try:
            await self._publisher.send(
                EXCHANGE,
                message.routing_key,
                id=message.id,
                body=message.body,
                headers=trace_headers(message.traceparent),
            )
        except Unroutable:
            PUBLISHED.labels("unroutable").inc()
            raise
        except BrokerUnavailable:
            PUBLISHED.labels("unavailable").inc()
            raise
        PUBLISHED.labels("confirmed").inc()

    async def subscribe(self, subscription: Subscription, handler: Handler) -> None:
        """Returns at once; `consuming` tells when the queue is attached."""
        if subscription.queue in self._consumers:
            raise ValueError(f"{subscription.queue} has a handler already")
        self._known[subscription.queue] = subscription
        self._consumers[subscription.queue] = Consumer(
            Listener(subscription, handler, len(self._ladder), self._pause_on),
            link=self._consuming,
            publisher=self._publisher,
            ladder=self._ladder,
            clock=self._clock,
        )

    async def stop(self, grace: float = 20.0) -> None:
        await asyncio.gather(*(consumer.stop(grace) for consumer in self._consumers.values()))

    async def close(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._publisher.close()
        except TimeoutError:
            log.debug("the broker does not answer; dropping the connection")
        await asyncio.gather(self._publishing.close(), self._consuming.close())

    def consuming(self) -> dict[str, bool]:
        return {queue: consumer.attached for queue, consumer in self._consumers.items()}

    async def dead_letters(self, queue: str) -> list[DeadLetter]:
        return await self._parking.look(queue)

    async def replay(self, queue: str, ids: set[str] | None = None) -> int:
        return await self._parking.replay(queue, ids)

    async def discard(self, queue: str, ids: set[str]) -> int:
        return await self._parking.discard(queue, ids)

    async def _restore(self, connection: AbstractConnection) -> None:
        """After each connect: the broker may be a new and empty one."""
        if not self._known:
            return
        try:
            with broker_errors():
                async with asyncio.timeout(_DECLARE_SECONDS):
                    await self._declare(connection, tuple(self._known.values()))
        except BrokerUnavailable:
            raise
        except BusError as error:
            # One queue with other arguments must not keep all the others from working.
            log.error("topology not restored", error=repr(error))

    async def _declare(
        self, connection: AbstractConnection, subscriptions: tuple[Subscription, ...]
    ) -> None:
        channel = connection.channel(publisher_confirms=False)
        await channel.initialize()
        try:
            await topology.declare(channel, subscriptions, self._ladder)
        finally:
            await channel.close()
