"""What only the in-process bus promises: a publish that returned was handled, or it raised."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing, write_event
from shared.contracts.identity import TokenRevoked
from shared.messaging.bus import BrokerUnavailable, Subscription
from shared.messaging.memory import MemoryBus
from shared.runtime.clock import ManualClock

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ALL = Subscription("all.events", ("#",), prefetch=2)


def message(id: str = "e1") -> Outgoing:
    data = TokenRevoked(token_id="t", expires_at=AT)
    return write_event(data, id=id, source="/test", subject="t", time=AT).outgoing()


async def test_publish_waits_for_every_handler() -> None:
    bus, finished = MemoryBus(), list[str]()
    gate = asyncio.Event()

    async def slow(_: Event[EventData]) -> None:
        await gate.wait()
        finished.append("slow")

    async def quick(_: Event[EventData]) -> None:
        finished.append("quick")

    await bus.subscribe(ALL, slow)
    await bus.subscribe(Subscription("other.events", ("#",)), quick)
    publishing = asyncio.create_task(bus.publish(message()))
    async with asyncio.timeout(1):
        while finished != ["quick"]:
            await asyncio.sleep(0)
    assert not publishing.done()
    gate.set()
    await publishing
    assert finished == ["quick", "slow"]


async def test_a_publisher_that_gives_up_does_not_cut_the_handler() -> None:
    bus, gate, finished = MemoryBus(), asyncio.Event(), asyncio.Event()

    async def handler(_: Event[EventData]) -> None:
        await gate.wait()
        finished.set()

    await bus.subscribe(ALL, handler)
    publishing = asyncio.create_task(bus.publish(message()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    gate.set()
    async with asyncio.timeout(1):
        await finished.wait()


async def test_what_a_stopping_bus_did_not_handle_is_refused() -> None:
    bus, started = MemoryBus(), asyncio.Event()

    async def endless(_: Event[EventData]) -> None:
        started.set()
        await asyncio.Event().wait()

    await bus.subscribe(ALL, endless)
    publishing = asyncio.create_task(bus.publish(message()))
    await started.wait()
    await bus.stop(grace=0.01)
    with pytest.raises(BrokerUnavailable):
        await publishing
    with pytest.raises(BrokerUnavailable):
        await bus.publish(message("e2"))


async def test_a_failure_while_stopping_is_refused_and_not_forgotten() -> None:
    bus, started, gate = MemoryBus(), asyncio.Event(), asyncio.Event()

    async def failing(_: Event[EventData]) -> None:
        started.set()
        await gate.wait()
        raise RuntimeError("no")

    await bus.subscribe(ALL, failing)
    publishing = asyncio.create_task(bus.publish(message()))
    await started.wait()
    stopping = asyncio.create_task(bus.stop(grace=1))
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(BrokerUnavailable):
        await publishing
    await stopping


async def test_retries_wait_on_the_ladder_by_the_clock_and_then_park() -> None:
    clock = ManualClock(AT)
    bus, seen = MemoryBus(ladder=(5, 30), clock=clock), list[datetime]()

    async def failing(_: Event[EventData]) -> None:
        seen.append(clock.now())
        raise RuntimeError("no")

    await bus.subscribe(ALL, failing)
    await bus.publish(message())
    async with asyncio.timeout(1):
        while not (letters := await bus.dead_letters(ALL.queue)):
            await asyncio.sleep(0)
    assert [(at - AT).total_seconds() for at in seen] == [0, 5, 35]
    assert (letters[0].attempts, letters[0].error) == (3, "RuntimeError: no")
    assert letters[0].failed_at == clock.now()


async def test_stop_ends_a_pause_and_hands_the_message_back() -> None:
    class Away(Exception):
        pass

    bus, tried = MemoryBus(pause_on=(Away,)), asyncio.Event()

    async def waiting(_: Event[EventData]) -> None:
        tried.set()
        raise Away

    await bus.subscribe(ALL, waiting)
    publishing = asyncio.create_task(bus.publish(message()))
    await tried.wait()
    await bus.stop(grace=5)
    with pytest.raises(BrokerUnavailable):
        await publishing
