"""Background loops that are watched: one that fails is logged, waits and goes on; none dies in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from shared.runtime.clock import monotonic

log = structlog.get_logger(__name__)

BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


def back_off(failures: int) -> float:
    """Seconds to wait after this many earlier failures in a row."""
    return BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]


async def finish(tasks: Iterable[asyncio.Task[None]], grace: float) -> None:
    """Let tasks come to their end for `grace` seconds, then cancel what is left. Raises nothing."""
    waited = set(tasks)
    if not waited:
        return
    _, late = await asyncio.wait(waited, timeout=max(grace, 0.0))
    for task in late:
        task.cancel()
    await asyncio.gather(*waited, return_exceptions=True)


class Wakeable:
    """A flag that ends a wait early: work was just made, do not sit out the poll interval."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return after `seconds`, or at once when woken. One wake ends one wait."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class Loop:
    """`step` again and again. `step` answers the seconds to wait before the next time.

    A failing step is logged and repeated with back-off (0.2 s growing to 5 s), for ever: what it
    works on is in the database, so nothing is lost while it cannot work.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[float]]) -> None:
        self.name = name
        self._step = step
        self._wakeable = Wakeable()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.failures = 0
        self.last_success = monotonic()

    def wake(self) -> None:
        """Run the next step now."""
        self._wakeable.wake()

    def start(self) -> None:
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name=f"loop {self.name}")

    async def stop(self, grace: float) -> None:
        """Let the running step finish for `grace` seconds, then cancel it."""
        self._stopping = True
        self.wake()
        await finish([self._task] if self._task else [], grace)

    async def _run(self) -> None:
        while not self._stopping:
            try:
                pause = await self._step()
                self.failures = 0
                self.last_success = monotonic()
            except Exception as error:
                pause = back_off(self.failures)
                self.failures += 1
                log.warning("loop failed", loop=self.name, error=repr(error), retry_in=pause)
                # A wake-up must not defeat the back-off while the database or broker is away.
                await asyncio.sleep(pause)
                pause = 0.0
            if not self._stopping and pause > 0:
                await self._wakeable.wait(pause)
