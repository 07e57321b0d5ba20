"""One attempt to handle one message, the same on every bus. Never acknowledges and never forwards by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from shared.contracts.events import read_event
from shared.messaging.bus import Handler, Park, Subscription
from shared.messaging.metrics import HANDLED, HANDLER_SECONDS
from shared.runtime.loops import BACK_OFF_SECONDS
from shared.runtime.tracing import handling

log = structlog.get_logger(__name__)

ERROR_LENGTH = 1000
"""Characters of an error that travel with a message; AMQP headers share one frame."""


class Outcome(StrEnum):
    """What becomes of a message after an attempt."""

    DONE = "done"
    RETRIED = "retried"
    PARKED = "parked"
    RETURNED = "returned"
    """Handed back untouched: we are stopping, or the broker has already given it to somebody else."""


@dataclass(frozen=True)
class Verdict:
    """The outcome and, where it failed, why."""

    outcome: Outcome
    error: str = ""


def describe(error: BaseException) -> str:
    """Type and words of an error, cut, and without code points that UTF-8 cannot carry."""
    words = f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
    return words.encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Listener:
    """A subscription with its handler and the rules for failures; `rungs` is the ladder's length.

    An error of `pause_on` says that nothing can be handled now (the database is away): the handler
    is called again with back-off, for ever, until `stopping` is set or the message is not `wanted`.
    """

    subscription: Subscription
    handler: Handler
    rungs: int
    pause_on: tuple[type[Exception], ...]

    async def attempt(
        self,
        body: bytes,
        number: int,
        stopping: asyncio.Event,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Verdict:
        """Parse, call the handler, judge. `number` counts attempts from 1."""
        verdict = await self._judge(body, number, stopping, wanted)
        queue, outcome = self.subscription.queue, verdict.outcome.value
        HANDLED.labels(queue, outcome).inc()
        if verdict.error:
            log.warning(
                "message not handled",
                queue=queue,
                outcome=outcome,
                attempt=number,
                error=verdict.error,
            )
        return verdict

    async def _judge(
        self, body: bytes, number: int, stopping: asyncio.Event, wanted: Callable[[], bool]
    ) -> Verdict:
        queue = self.subscription.queue
        failed = Outcome.PARKED if number > self.rungs else Outcome.RETRIED
        try:
            event = read_event(body)
        except ValueError as error:
            return Verdict(Outcome.PARKED, describe(error))
        pauses = 0
        while not stopping.is_set() and wanted():
            try:
                with (
                    HANDLER_SECONDS.labels(queue).time(),
                    handling(event.type, event.traceparent),
                ):
                    await self.handler(event)
                return Verdict(Outcome.DONE)
            except Park as error:
                return Verdict(Outcome.PARKED, describe(error))
            except self.pause_on as error:
                pause = BACK_OFF_SECONDS[min(pauses, len(BACK_OFF_SECONDS) - 1)]
                pauses += 1
                log.warning("consumer waits", queue=queue, error=describe(error), retry_in=pause)
                await _pause(stopping, pause)
            except Exception as error:
                return Verdict(failed, describe(error))
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Something inside the handler was cancelled, not we: an ordinary failure, or the
                # message would hang unacknowledged for ever.
                return Verdict(failed, describe(error))
        return Verdict(Outcome.RETURNED)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
