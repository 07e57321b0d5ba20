"""Carries one claimed delivery: compose, arm, guard, send, record. Never sends what is in doubt.

The order of steps is the guarantee. Before `arm` a crash costs nothing: the lease runs out and the
delivery is claimed again. After `arm` the effect may have happened, so the next holder resolves it by
what the outside can do: the same idempotency key again, a look-up, or a person.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from shared.contracts.outlets import DeliveryState
from shared.delivery.errors import AuthDead, GiveUp, OutcomeUnknown, TryAgain
from shared.delivery.ledger import Ledger
from shared.delivery.metrics import LATENCY, OUTCOMES
from shared.delivery.model import NOTE, Delivery, Document
from shared.delivery.outside import Drop, Go, Hold, Leave, Outside, Task, Verdict
from shared.delivery.thread import continued, follows, overtaken
from shared.runtime.clock import Clock, elapsed_ms
from shared.runtime.loops import back_off
from shared.storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

RETRY_SECONDS = (2, 10, 60, 300, 900, 3600)
RESOLVE_SECONDS = (1, 5, 30, 120, 600)
LEASE_USED = 0.9
"""How much of the lease one call to the outside may take; the rest is for clocks that differ."""
OVERTAKEN = "overtaken by a newer change"
RECORD_TRIES = 8
"""How often the outcome of a call is written down anew while the database is away: about a minute."""


class Carrier:
    """One delivery at a time per call; holds nothing between calls. `wake` says that work may be due."""

    def __init__(
        self, ledger: Ledger, outside: Outside, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._outside = outside
        self._clock = clock
        self.wake = wake

    async def carry(self, delivery: Delivery) -> None:
        """Carry one claimed delivery as far as it goes now."""
        previous: Document | None = None
        if follows(delivery):
            earlier, later = await self._ledger.neighbours(delivery)
            if overtaken(delivery, later):
                await self._ledger.close(delivery, DeliveryState.CANCELLED, OVERTAKEN)
                return
            found = continued(delivery.operation, delivery.revision, earlier)
            for task in (one for one in earlier if one.task is not None):
                if not await self._ledger.close(task, DeliveryState.CANCELLED, OVERTAKEN):
                    found = None  # somebody has just done it: look at the thread again
            if found is None:
                await self._ledger.wait(delivery, self._in(1.0), None, report=False)
                return
            if isinstance(found, Drop):
                await self._ledger.close(delivery, found.state, found.reason)
                return
            previous = found
        if delivery.state is DeliveryState.CLAIMED:
            await self._begin(delivery, previous)
        else:
            await self._resolve(delivery, previous)

    async def _begin(self, delivery: Delivery, previous: Document | None) -> None:
        if delivery.expires_at and self._clock.now() > delivery.expires_at:
            await self._ledger.close(delivery, DeliveryState.MISSED, "too late: past its limit")
            return
        if not await self._pass(delivery, await self._outside.admit(delivery)):
            return
        try:
            verdict, composed = await asyncio.gather(
                self._outside.ready(delivery), self._outside.compose(delivery, previous)
            )
        except TryAgain as error:
            await self._try_again(delivery, error)
            return
        except AuthDead as error:
            await self._outside.auth_dead(delivery, error.reason)
            await self._ledger.wait(delivery, self._in(RETRY_SECONDS[2]), error.reason)
            return
        except GiveUp as error:
            await self._ledger.close(delivery, DeliveryState.FAILED, error.reason)
            return
        if not await self._pass(delivery, verdict):
            return
        if isinstance(composed, Leave):
            result = previous if composed.result is None else composed.result
            await self._ledger.confirm(delivery, result, composed.reason)
            return
        if isinstance(composed, Task):
            await self._hand_over(delivery, composed)
            return
        armed = await self._ledger.arm(delivery, composed.payload, composed.revision)
        if armed is None:
            return
        try:
            verdict = await self._outside.guard(armed)
        except TryAgain as error:
            await self._try_again(armed, error)
            return
        except Exception as error:
            # Nothing has left yet: say so now, before the lease makes a doubt of it.
            await self._try_again(armed, TryAgain(f"the guards could not be read: {error!r}"))
            raise
        if await self._pass(armed, verdict):
            await self._send(armed, previous, certain=True)

    async def _hand_over(self, delivery: Delivery, task: Task) -> None:
        """What must not be done by a machine any more is not asked of a person either."""
        try:
            verdict = await self._outside.guard(delivery)
        except TryAgain as error:
            await self._try_again(delivery, error)
            return
        if await self._pass(delivery, verdict):
            await task.announce()
            await self._ledger.hand_over(delivery, task.words, task.result)

    async def _pass(self, delivery: Delivery, verdict: Verdict) -> bool:
        if isinstance(verdict, Hold):
            # A hold shorter than a second is a matter of milliseconds between services, not news.
            await self._ledger.wait(
                delivery, self._in(verdict.seconds), verdict.reason, report=verdict.seconds >= 1
            )
            self.wake()
        elif isinstance(verdict, Drop):
            await self._ledger.close(delivery, verdict.state, verdict.reason)
        return isinstance(verdict, Go)

    async def _send(self, delivery: Delivery, previous: Document | None, *, certain: bool) -> None:
        """`certain` says that nothing was applied before this call, so a clean failure may restart."""
        seconds = None
        if delivery.due_at:
            # Once the lease has run out another finds out what became of it, and may send it anew.
            seconds = LEASE_USED * (delivery.due_at - self._clock.now()).total_seconds()
            if seconds <= 0:
                return
        try:
            async with asyncio.timeout(seconds):
                result = await self._outside.send(delivery, previous)
        except TimeoutError:
            OUTCOMES.labels(delivery.outlet, "unknown").inc()
            said = "broken off: it took longer than one worker may hold it"
            await self._still_unknown(delivery, said, None)
        except TryAgain as error:
            if certain:
                await self._try_again(delivery, error)
            else:
                await self._still_unknown(delivery, error.reason, error.after)
        except AuthDead as error:
            await self._outside.auth_dead(delivery, error.reason)
            if certain:
                due = self._in(RETRY_SECONDS[2])
                await self._record(partial(self._ledger.wait, delivery, due, error.reason))
            else:
                await self._still_unknown(delivery, error.reason, RETRY_SECONDS[2])
        except GiveUp as error:
            OUTCOMES.labels(delivery.outlet, "refused").inc()
            if certain:
                failed = DeliveryState.FAILED
                await self._record(partial(self._ledger.close, delivery, failed, error.reason))
            else:
                await self._look_up(delivery, previous, error.reason)
        except OutcomeUnknown as error:
            OUTCOMES.labels(delivery.outlet, "unknown").inc()
            await self._still_unknown(delivery, error.reason, None)
        else:
            await self._confirmed(delivery, result)

    async def _confirmed(self, delivery: Delivery, result: Document | None) -> None:
        await self._record(
            partial(self._ledger.confirm, delivery, result, (result or {}).get(NOTE))
        )
        OUTCOMES.labels(delivery.outlet, "confirmed").inc()
        LATENCY.labels(delivery.outlet).observe(
            elapsed_ms(delivery.acted_at, self._clock.now()) / 1000
        )

    async def _try_again(self, delivery: Delivery, error: TryAgain) -> None:
        OUTCOMES.labels(delivery.outlet, "try_again").inc()
        # What fails before it is armed is an attempt too, or it would never back off.
        attempts = delivery.attempts + (delivery.state is not DeliveryState.ARMED)
        seconds = error.after
        if seconds is None:
            seconds = _jittered(RETRY_SECONDS, attempts)
        if error.whole_account:
            await self._outside.throttled(delivery, seconds, error.reason)
        due = self._in(seconds)
        await self._record(
            partial(self._ledger.wait, delivery, due, error.reason, attempts=attempts)
        )

    async def _resolve(self, delivery: Delivery, previous: Document | None) -> None:
        """Find out what became of something that may have been sent (DESIGN: same key, look-up, person)."""
        if delivery.state is DeliveryState.ARMED:
            reason = "the process that was sending it died"
        else:
            reason = delivery.reason or "outcome unknown"
        try:
            verdict = await self._outside.guard(delivery)
        except TryAgain as error:
            await self._still_unknown(delivery, reason, error.after)
            return
        forbidden = isinstance(verdict, Drop)
        if isinstance(verdict, Hold):
            await self._still_unknown(delivery, reason, verdict.seconds)
        elif self._outside.idempotent(delivery) and not forbidden:
            await self._send(delivery, previous, certain=False)
        else:
            await self._look_up(delivery, previous, reason)

    async def _look_up(self, delivery: Delivery, previous: Document | None, reason: str) -> None:
        if not self._outside.can_find(delivery):
            await self._ledger.unknown(delivery, reason, None)
            return
        try:
            found = await self._outside.find(delivery, previous)
        except (TryAgain, OutcomeUnknown) as error:
            await self._still_unknown(delivery, error.reason, None)
        except (AuthDead, GiveUp) as error:
            await self._still_unknown(delivery, error.reason, RETRY_SECONDS[2])
        else:
            if found is not None:
                await self._confirmed(delivery, found)
            else:
                await self._ledger.replan(delivery, f"looked up: not there ({reason})")
                self.wake()

    async def _still_unknown(self, delivery: Delivery, reason: str, after: float | None) -> None:
        resolvable = self._outside.idempotent(delivery) or self._outside.can_find(delivery)
        seconds = after if after is not None else _jittered(RESOLVE_SECONDS, delivery.attempts)
        due = self._in(seconds) if resolvable else None
        await self._record(partial(self._ledger.unknown, delivery, reason, due))
        self.wake()

    async def _record(self, write: Callable[[], Awaitable[Delivery | None]]) -> None:
        """Write down what the outside said: a failover must not turn what is known into a doubt.

        Safe to repeat, because a write that was applied although it failed has moved the fence.
        """
        for failures in range(RECORD_TRIES):
            try:
                await write()
                return
            except StorageUnavailable as error:
                log.warning("outcome not written down yet", error=repr(error))
                if failures == RECORD_TRIES - 1:
                    raise
            await asyncio.sleep(back_off(failures))

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)


def _jittered(schedule: tuple[int, ...], attempts: int) -> float:
    """The step of the schedule for this many attempts, ±20 % so that replicas spread out."""
    step = schedule[min(max(attempts - 1, 0), len(schedule) - 1)]
    return step * random.uniform(0.8, 1.2)  # noqa: S311  # spreads load, guards nothing
