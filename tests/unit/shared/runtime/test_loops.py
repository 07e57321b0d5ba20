"""Loops go on after failures, back off, and wake early; nothing dies in silence."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from shared.runtime import loops
from shared.runtime.loops import BACK_OFF_SECONDS, Loop, Wakeable, back_off, finish


async def test_one_wake_ends_one_wait() -> None:
    wakeable = Wakeable()
    clock = asyncio.get_running_loop().time
    wakeable.wake()
    began = clock()
    await wakeable.wait(5)
    assert clock() - began < 1
    began = clock()
    await wakeable.wait(0.05)
    assert clock() - began >= 0.045
    waiting = asyncio.create_task(wakeable.wait(5))
    await asyncio.sleep(0)
    wakeable.wake()
    async with asyncio.timeout(1):
        await waiting


async def test_a_loop_waits_what_its_step_says_unless_it_is_woken() -> None:
    steps = 0

    async def step() -> float:
        nonlocal steps
        steps += 1
        return 60.0

    loop = Loop("test", step)
    loop.start()
    await asyncio.sleep(0.02)
    assert steps == 1
    loop.wake()
    await asyncio.sleep(0.02)
    assert steps == 2
    await loop.stop(1.0)
    loop.wake()
    await asyncio.sleep(0.02)
    assert steps == 2


async def test_a_failing_step_backs_off_and_a_wake_does_not_defeat_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loops, "BACK_OFF_SECONDS", (0.03, 0.06))
    times: list[float] = []

    async def step() -> float:
        times.append(asyncio.get_running_loop().time())
        if len(times) < 5:
            raise RuntimeError("the database is away")
        return 60.0

    loop = Loop("test", step)
    loop.start()
    for _ in range(40):
        loop.wake()
        await asyncio.sleep(0.01)
        if len(times) >= 5 and loop.failures == 0:
            break
    await loop.stop(1.0)
    gaps = [later - earlier for earlier, later in pairwise(times[:5])]
    assert all(gap >= least * 0.9 for gap, least in zip(gaps, (0.03, *[0.06] * 3), strict=True))
    assert loop.failures == 0


async def test_stopping_waits_for_the_step_within_the_grace_and_then_cancels() -> None:
    ends: list[str] = []

    async def step(seconds: float) -> float:
        try:
            await asyncio.sleep(seconds)
            ends.append("finished")
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        return 60.0

    for seconds in (0.05, 30.0):
        loop = Loop("test", lambda seconds=seconds: step(seconds))  # type: ignore[misc]
        loop.start()
        await asyncio.sleep(0.01)
        await loop.stop(0.2)
    assert ends == ["finished", "cancelled"]
    await Loop("never started", lambda: step(0)).stop(1.0)


async def test_finish_raises_nothing_whatever_became_of_the_tasks() -> None:
    async def fails() -> None:
        raise RuntimeError("x")

    tasks = [asyncio.create_task(fails()), asyncio.create_task(asyncio.sleep(30))]
    await finish(tasks, 0.02)
    assert all(task.done() for task in tasks)
    assert tasks[1].cancelled()
    await finish([], 1.0)


def test_back_off_grows_to_its_last_step_and_stays() -> None:
    assert [back_off(failures) for failures in range(7)] == [*BACK_OFF_SECONDS, 5.0, 5.0]
