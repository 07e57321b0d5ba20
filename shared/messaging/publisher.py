"""Confirmed publishing: returns once the broker keeps the message. Never leaves a doubtful channel in use."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import PublishError

from shared.messaging.bus import BusError
from shared.messaging.connection import Link, broker_errors

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/cloudevents+json"

Headers = Mapping[str, str | int]


@dataclass(eq=False)
class _Lane:
    """A channel and how many publishes ride on it."""

    channel: AbstractChannel
    in_flight: int = 0
    retired: bool = False


class Publisher:
    """Many publishes in flight on one channel, each bounded by `timeout` seconds in all.

    A channel that nacked or did not answer is retired: it may be stuck for ever, while a new one
    works at once (`messaging.md` trap 2); it is closed when its last publish has ended.
    """

    def __init__(self, link: Link, timeout: float) -> None:
        self._link = link
        self._timeout = timeout
        self._lane: _Lane | None = None
        self._opening = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        # The client matches returned messages by message id: one id is never twice in flight.
        self._ids: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(
        self, exchange: str, routing_key: str, *, id: str, body: bytes, headers: Headers
    ) -> None:
        """Publish and wait for the confirm. Raises `Unroutable` or `BrokerUnavailable`."""
        message = Message(
            body,
            headers=dict(headers),
            content_type=CONTENT_TYPE,
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=id,
        )
        alone = self._ids.setdefault(id, asyncio.Lock())
        with broker_errors():
            async with asyncio.timeout(self._timeout), alone:
                lane = await self._open_lane()
                lane.in_flight += 1
                try:
                    target = await lane.channel.get_exchange(exchange, ensure=False)
                    await target.publish(message, routing_key, mandatory=True)
                except PublishError:
                    raise  # returned: the answer is clear and the channel is sound
                except BaseException:
                    self._retire(lane)
                    raise
                finally:
                    lane.in_flight -= 1
                    self._close_if_idle(lane)

    async def close(self) -> None:
        """Wait for the channels that are being closed."""
        if self._lane is not None:
            self._retire(self._lane)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _open_lane(self) -> _Lane:
        async with self._opening:
            if self._lane is None or self._lane.channel.is_closed:
                connection = await self._link.connection()
                channel = connection.channel(publisher_confirms=True, on_return_raises=True)
                await channel.initialize()
                self._lane = _Lane(channel)
            return self._lane

    def _retire(self, lane: _Lane) -> None:
        lane.retired = True
        if self._lane is lane:
            self._lane = None
        self._close_if_idle(lane)

    def _close_if_idle(self, lane: _Lane) -> None:
        if lane.retired and not lane.in_flight and not lane.channel.is_closed:
            task = asyncio.create_task(_close(lane.channel))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _close(channel: AbstractChannel) -> None:
    try:
        with broker_errors():
            await channel.close()
    except BusError as error:
        log.debug("closing a retired channel", error=repr(error))
