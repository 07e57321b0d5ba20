"""The worker loop over a ledger: claims what is due where there is room and has it carried, several at a time."""

from __future__ import annotations

import asyncio

import structlog

from shared.delivery.carrier import Carrier
from shared.delivery.ledger import Ledger
from shared.delivery.looks import Looks
from shared.delivery.metrics import OUTCOMES
from shared.delivery.model import Delivery, Lanes
from shared.delivery.outside import Outside
from shared.delivery.slots import Slots
from shared.runtime.clock import Clock, monotonic
from shared.runtime.loops import Wakeable, back_off, finish
from shared.runtime.tracing import handling

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
DEFAULT_SLOTS = Slots(8)


class Worker:
    """Runs as many deliveries of one ledger at a time as `slots` has room for."""

    def __init__(
        self, ledger: Ledger, outside: Outside, clock: Clock, slots: Slots = DEFAULT_SLOTS
    ) -> None:
        self._ledger = ledger
        self._outside = outside
        self._clock = clock
        self._slots = slots
        self._wakeable = Wakeable()
        self._looks = Looks()
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._carrier = Carrier(ledger, outside, clock, self.wake)

    def wake(self) -> None:
        """Say that something may have become due."""
        self._looks.news()
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
        while delivery := await self._ledger.claim(await self._free()):
            await self._carrier.carry(delivery)
            done += 1
        return done

    async def _run(self) -> None:
        failures = 0
        while not self._stopping:
            if pause := self._looks.wait(monotonic()):
                await self._wakeable.wait(pause)
                continue
            try:
                lanes = await self._free()
                delivery = await self._ledger.claim(lanes)
                idle = await self._idle_seconds(lanes) if delivery is None else 0.0
                failures = 0
            except Exception as error:
                pause = back_off(failures)
                failures += 1
                log.warning("cannot claim", error=repr(error), retry_in=pause)
                self._looks.news()
                await asyncio.sleep(pause)
                continue
            if delivery is None:
                self._looks.nothing(monotonic() + idle)
                continue
            self._looks.found()
            task = asyncio.create_task(self._watched(delivery))
            self._running[task] = delivery
            task.add_done_callback(self._finished)

    async def _free(self) -> Lanes:
        return self._slots.lanes(self._running.values(), await self._outside.blocked())

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._looks.ended()
        self._wakeable.wake()

    async def _idle_seconds(self, lanes: Lanes) -> float:
        due = await self._ledger.next_due(lanes)
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
