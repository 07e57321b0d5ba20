"""One queue's consumer: the client's callback only hands messages over; work is ours and acknowledged by us.

Never uses `message.process()` (it drops on cancellation), and never lets a lost connection cancel
a handler. An acknowledgement that cannot be sent any more means that the message comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError

from shared.messaging import topology
from shared.messaging.attempt import Listener, Outcome, Verdict
from shared.messaging.bus import BusError, Unroutable
from shared.messaging.connection import Link, back_off, broker_errors
from shared.messaging.letters import TRACEPARENT, failed_attempts, failed_headers, letter_id, text
from shared.messaging.publisher import Publisher
from shared.runtime.clock import Clock

log = structlog.get_logger(__name__)

_ANSWER_SECONDS = 10.0


class Consumer:
    """Consumes until `stop`, through lost connections, closed channels and deleted queues."""

    def __init__(
        self,
        listener: Listener,
        *,
        link: Link,
        publisher: Publisher,
        ladder: tuple[topology.Rung, ...],
        clock: Clock,
    ) -> None:
        self.subscription = subscription = listener.subscription
        self._listener = listener
        self._link = link
        self._publisher = publisher
        self._ladder = ladder
        self._clock = clock
        # Outlives channels: after a reconnect old handlers still run beside redelivered messages.
        self._room = asyncio.Semaphore(subscription.prefetch)
        self._work: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._detached = asyncio.Event()
        self._channel: AbstractChannel | None = None
        self._tag: str | None = None
        self._supervisor = asyncio.create_task(
            self._supervise(), name=f"consume {subscription.queue}"
        )

    @property
    def attached(self) -> bool:
        """Whether the broker counts us among the queue's consumers, as far as it has told us."""
        channel = self._channel
        if channel is None or self._tag is None:
            return False
        return not channel.is_closed and not self._detached.is_set()

    async def stop(self, grace: float) -> None:
        """Cancel at the broker, let running handlers finish, hand back what has not begun."""
        self._stopping.set()
        self._supervisor.cancel()
        await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._work:
            _, running = await asyncio.wait(self._work, timeout=grace)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        await self._close_channel()

    async def _supervise(self) -> None:
        pauses = back_off()
        try:
            while True:
                try:
                    await self._attach(await self._link.connection())
                    pauses = back_off()
                    await self._detached.wait()
                    log.warning("consumer detached", queue=self.subscription.queue)
                except Exception as error:
                    log.warning("cannot consume", queue=self.subscription.queue, error=repr(error))
                await self._close_channel()
                await asyncio.sleep(next(pauses))
        finally:
            await self._cancel_at_broker()

    async def _attach(self, connection: AbstractConnection) -> None:
        with broker_errors():
            async with asyncio.timeout(_ANSWER_SECONDS):
                channel = connection.channel(publisher_confirms=False)
                await channel.initialize()
                self._channel, self._detached = channel, asyncio.Event()
                detached = self._detached
                channel.close_callbacks.add(lambda *_: detached.set())
                underlay = await channel.get_underlay_channel()
                # A deleted queue answers basic.cancel and then silence (aio-pika #334).
                underlay.on_consumer_cancel_callbacks.add(lambda _: detached.set())
                await topology.declare(channel, (self.subscription,), self._ladder)
                await channel.set_qos(prefetch_count=self.subscription.prefetch)
                queue = await channel.get_queue(self.subscription.queue, ensure=False)
                self._tag = await queue.consume(self._receive)

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        # This coroutine belongs to the channel and dies with it; the task below does not.
        task = asyncio.create_task(self._handle(message))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        try:
            async with self._room:
                number = failed_attempts(message.headers) + 1
                verdict = await self._listener.attempt(
                    message.body, number, self._stopping, wanted=lambda: _ours(message)
                )
                failed = verdict.outcome in (Outcome.RETRIED, Outcome.PARKED)
                if failed and not await self._forward(message, verdict, number):
                    verdict = Verdict(Outcome.RETURNED)
            if verdict.outcome is Outcome.RETURNED:
                await _answer(message.nack(requeue=True))
            else:
                await _answer(message.ack())
        except asyncio.CancelledError:
            await _answer(message.nack(requeue=True))
            raise
        except Exception as error:
            # Not the handler's failure but ours. Rejecting counts as a delivery on every version,
            # so the broker parks the message in the end; unanswered it would fill the prefetch.
            log.exception("message not settled", queue=self.subscription.queue, error=repr(error))
            await _answer(message.reject(requeue=True))

    async def _forward(
        self, message: AbstractIncomingMessage, verdict: Verdict, number: int
    ) -> bool:
        """Give the message to the ladder or the parking queue; True once that is confirmed."""
        queue = self.subscription.queue
        if verdict.outcome is Outcome.RETRIED:
            exchange, key = self._ladder[number - 1].name, queue
        else:
            exchange, key = "", topology.parking(queue)
        headers = failed_headers(
            queue=queue,
            attempt=number,
            error=verdict.error,
            at=self._clock.now(),
            traceparent=text(message.headers.get(TRACEPARENT)),
        )
        for pause in back_off():
            if not _ours(message):
                return False
            try:
                await self._publisher.send(
                    exchange, key, id=letter_id(message.body), body=message.body, headers=headers
                )
                return True
            except BusError as error:
                log.warning("failed message not moved yet", queue=queue, error=repr(error))
                if isinstance(error, Unroutable):
                    self._detached.set()  # the ladder was deleted: attaching declares it again
            if self._stopping.is_set():
                return False
            await asyncio.sleep(pause)
        return False

    async def _cancel_at_broker(self) -> None:
        channel, tag = self._channel, self._tag
        if channel is None or tag is None or not self.attached:
            return
        try:
            with broker_errors():
                async with asyncio.timeout(_ANSWER_SECONDS):
                    queue = await channel.get_queue(self.subscription.queue, ensure=False)
                    await queue.cancel(tag)
        except BusError as error:
            log.debug("consumer was gone already", error=repr(error))
        self._detached.set()

    async def _close_channel(self) -> None:
        channel, self._channel, self._tag = self._channel, None, None
        if channel is None or channel.is_closed:
            return
        try:
            with broker_errors():
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await channel.close()
        except BusError as error:
            log.debug("closing a broken channel", error=repr(error))


def _ours(message: AbstractIncomingMessage) -> bool:
    """False once the channel of the delivery has closed: the broker has taken the message back."""
    try:
        return not message.channel.is_closed
    except ChannelInvalidStateError:
        return False


async def _answer(answer: Awaitable[None]) -> None:
    try:
        with broker_errors():
            await answer
    except BusError as error:
        log.debug("too late to answer: the message comes again", error=repr(error))
