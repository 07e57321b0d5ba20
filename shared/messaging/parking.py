"""Looking at, replaying and discarding parked messages on RabbitMQ. Never takes one away unless it was told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractIncomingMessage

from shared.messaging.bus import DeadLetter
from shared.messaging.connection import Link, broker_errors
from shared.messaging.letters import TRACEPARENT, letter_id, read_letter, text, trace_headers
from shared.messaging.publisher import Publisher
from shared.messaging.topology import parking

_SECONDS = 60.0


class ParkingLot:
    """Holds all messages of one parking queue at once, acts, and lets the rest fall back in order.

    While one caller looks, another one sees an empty queue; callers of one process take turns.
    """

    def __init__(self, link: Link, publisher: Publisher) -> None:
        self._link = link
        self._publisher = publisher
        self._turn = asyncio.Lock()

    async def look(self, queue: str) -> list[DeadLetter]:
        async with self._held(queue) as messages:
            return [read_letter(queue, message.body, message.headers) for message in messages]

    async def replay(self, queue: str, ids: set[str] | None) -> int:
        """Publish to the queue itself without our headers, so the ladder starts anew; then take away."""
        done = 0
        async with self._held(queue) as messages:
            for message in messages:
                id = letter_id(message.body)
                if ids is not None and id not in ids:
                    continue
                headers = trace_headers(text(message.headers.get(TRACEPARENT)))
                await self._publisher.send("", queue, id=id, body=message.body, headers=headers)
                await message.ack()
                done += 1
        return done

    async def discard(self, queue: str, ids: set[str]) -> int:
        done = 0
        async with self._held(queue) as messages:
            for message in messages:
                if letter_id(message.body) in ids:
                    await message.ack()
                    done += 1
        return done

    @asynccontextmanager
    async def _held(self, queue: str) -> AsyncIterator[list[AbstractIncomingMessage]]:
        """Everything parked now. Closing the channel returns what was not acknowledged, in order."""
        with broker_errors():
            async with self._turn, asyncio.timeout(_SECONDS):
                connection = await self._link.connection()
                channel = connection.channel(publisher_confirms=False)
                await channel.initialize()
                try:
                    parked = await channel.get_queue(parking(queue), ensure=False)
                    messages: list[AbstractIncomingMessage] = []
                    while (message := await parked.get(fail=False)) is not None:
                        messages.append(message)
                    yield messages
                finally:
                    await channel.close()
