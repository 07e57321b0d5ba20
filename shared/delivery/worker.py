"""The worker loop over a ledger: claims what is due and has it carried, several at a time."""

from __future__ import annotations

import asyncio

import structlog

from shared.delivery.carrier import Carrier
from shared.delivery.ledger import Ledger
from shared.delivery.metrics import OUTCOMES
from shared.delivery.model import Delivery
from shared.delivery.outside import Outside
from shared.runtime.clock import Clock, monotonic
from shared.runtime.loops import Wakeable, back_off, finish
from shared.runtime.tracing import handling

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0


class Worker:
    """Runs up to `concurrency` deliveries of one ledger at a time."""

    def __init__(
        self, ledger: Ledger, outside: Outside, clock: Clock, *, concurrency: int = 8
    ) -> None:
        self._ledger = ledger
        self._outside = outside
        self._clock = clock
        self._concurrency = concurrency
        self._wakeable = Wakeable()
        self._running: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._carrier = Carrier(ledger, outside, clock, self.wake)

    def wake(self) -> None:
        """Say that something may have become due."""
        self._wakeable.wake()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="delivery worker")

    async def stop(self, grace: float) -> None:
        """Claim nothing more; let what is under way finish for `grace` seconds."""
        self._stopping = True
        self.wake()
        deadline = monotonic() + grace
        # The claiming loop first: it may be about to begin one more delivery.
        await finish([self._task] if self._task else [], grace)
        await finish(self._running, deadline - monotonic())

    async def run_due(self) -> int:
        """Process what is due now, one by one; answers how many. For tests and tools."""
        done = 0
        while delivery := await self._ledger.claim(skip_outlets=await self._outside.blocked()):
            await self._carrier.carry(delivery)
            done += 1
        return done

    async def _run(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                if len(self._running) >= self._concurrency:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                    continue
                blocked = await self._outside.blocked()
                delivery = await self._ledger.claim(skip_outlets=blocked)
                idle = await self._idle_seconds(blocked) if delivery is None else 0.0
                failures = 0
            except Exception as error:
                pause = back_off(failures)
                failures += 1
                log.warning("cannot claim", error=repr(error), retry_in=pause)
                await asyncio.sleep(pause)
                continue
            if delivery is None:
                await self._wakeable.wait(idle)
                continue
            task = asyncio.create_task(self._watched(delivery))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _idle_seconds(self, blocked: tuple[str, ...]) -> float:
        due = await self._ledger.next_due(skip_outlets=blocked)
        if due is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.01, (due - self._clock.now()).total_seconds()))

    async def _watched(self, delivery: Delivery) -> None:
        try:
            with handling(f"delivery {delivery.operation.value}", delivery.traceparent):
                await self._carrier.carry(delivery)
        except Exception:
            # The lease runs out and the delivery is taken up again from the state it is in.
            log.exception("delivery interrupted", delivery=delivery.id)
            OUTCOMES.labels(delivery.outlet, "interrupted").inc()
