"""The broker's in-process twin: a publish returns only when every subscribed handler has finished with it.

Never claims what it cannot keep: what it holds dies with the process, so a message it could not
have handled is refused (`BrokerUnavailable`) and stays in the publisher's outbox.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass

import structlog

from shared.contracts.events import Outgoing
from shared.messaging.attempt import Listener, Outcome
from shared.messaging.bus import (
    LADDER_SECONDS,
    BrokerUnavailable,
    DeadLetter,
    Handler,
    Subscription,
    Unroutable,
)
from shared.messaging.letters import letter_id
from shared.messaging.metrics import PUBLISHED
from shared.messaging.topology import matches
from shared.runtime.clock import Clock, SystemClock

log = structlog.get_logger(__name__)


@dataclass
class _Queue:
    """A declared queue, the room its prefetch leaves, and its listener once there is one."""

    subscription: Subscription
    room: asyncio.Semaphore
    listener: Listener | None = None


class MemoryBus:
    """See `Bus`. `ladder` is in seconds of `clock`.

    A handler must not wait for a publish of its own to a queue whose prefetch it fills; it uses
    the outbox, as everywhere.
    """

    def __init__(
        self,
        *,
        ladder: tuple[float, ...] = LADDER_SECONDS,
        pause_on: tuple[type[Exception], ...] = (),
        clock: Clock | None = None,
    ) -> None:
        self._ladder = ladder
        self._pause_on = pause_on
        self._clock = clock or SystemClock()
        self._queues: dict[str, _Queue] = {}
        self._early: defaultdict[str, deque[bytes]] = defaultdict(deque)
        self._parked: defaultdict[str, list[DeadLetter]] = defaultdict(list)
        self._running: set[asyncio.Task[bool]] = set()
        self._climbing: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def declare(self, subscriptions: tuple[Subscription, ...]) -> None:
        for subscription in subscriptions:
            if subscription.queue not in self._queues:
                room = asyncio.Semaphore(subscription.prefetch)
                self._queues[subscription.queue] = _Queue(subscription, room)

    async def publish(self, message: Outgoing) -> None:
        if self._stopping.is_set():
            PUBLISHED.labels("unavailable").inc()
            raise BrokerUnavailable("the bus is stopping")
        takers = [
            queue
            for queue in self._queues.values()
            if any(matches(topic, message.routing_key) for topic in queue.subscription.topics)
        ]
        if not takers:
            PUBLISHED.labels("unroutable").inc()
            raise Unroutable(message.routing_key)
        tasks = [task for queue in takers if (task := self._deliver(queue, message.body, 1))]
        if tasks:
            # Waiting does not cancel: a publisher that gives up leaves the handlers running.
            await asyncio.wait(tasks)
        if not all(not task.cancelled() and task.result() for task in tasks):
            PUBLISHED.labels("unavailable").inc()
            raise BrokerUnavailable("stopped before every handler had finished")
        PUBLISHED.labels("confirmed").inc()

    async def subscribe(self, subscription: Subscription, handler: Handler) -> None:
        await self.declare((subscription,))
        queue = self._queues[subscription.queue]
        if queue.listener is not None:
            raise ValueError(f"{subscription.queue} has a handler already")
        queue.listener = Listener(queue.subscription, handler, len(self._ladder), self._pause_on)
        for body in self._early.pop(subscription.queue, ()):
            self._deliver(queue, body, 1)

    async def stop(self, grace: float = 20.0) -> None:
        self._stopping.set()
        for climber in self._climbing:
            climber.cancel()
        if self._climbing:
            log.warning("retries given up", messages=len(self._climbing))
        await asyncio.gather(*self._climbing, return_exceptions=True)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self) -> None:
        """Nothing is connected."""

    def consuming(self) -> dict[str, bool]:
        live = not self._stopping.is_set()
        return {name: live for name, queue in self._queues.items() if queue.listener}

    async def dead_letters(self, queue: str) -> list[DeadLetter]:
        return list(self._parked[queue])

    async def replay(self, queue: str, ids: set[str] | None = None) -> int:
        chosen = self._take(queue, ids)
        for letter in chosen:
            self._deliver(self._queues[queue], letter.body, 1)
        return len(chosen)

    async def discard(self, queue: str, ids: set[str]) -> int:
        return len(self._take(queue, ids))

    def _take(self, queue: str, ids: set[str] | None) -> list[DeadLetter]:
        chosen: list[DeadLetter] = []
        left: list[DeadLetter] = []
        for letter in self._parked[queue]:
            (chosen if ids is None or letter.id in ids else left).append(letter)
        self._parked[queue] = left
        return chosen

    def _deliver(self, queue: _Queue, body: bytes, number: int) -> asyncio.Task[bool] | None:
        if queue.listener is None:
            self._early[queue.subscription.queue].append(body)
            return None
        task = asyncio.create_task(self._handle(queue, queue.listener, body, number))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _handle(self, queue: _Queue, listener: Listener, body: bytes, number: int) -> bool:
        """False when the message was not dealt with, because the bus is stopping."""
        async with queue.room:
            verdict = await listener.attempt(body, number, self._stopping)
        if verdict.outcome is Outcome.RETRIED:
            if self._stopping.is_set():
                return False
            climber = asyncio.create_task(self._climb(queue, body, number))
            self._climbing.add(climber)
            climber.add_done_callback(self._climbing.discard)
        elif verdict.outcome is Outcome.PARKED:
            name = queue.subscription.queue
            letter = DeadLetter(
                letter_id(body), name, body, verdict.error, number, self._clock.now()
            )
            self._parked[name].append(letter)
        return verdict.outcome is not Outcome.RETURNED

    async def _climb(self, queue: _Queue, body: bytes, number: int) -> None:
        await self._clock.sleep(self._ladder[number - 1])
        self._deliver(queue, body, number + 1)
