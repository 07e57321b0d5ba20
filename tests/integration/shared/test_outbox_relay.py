"""The outbox and its relay on a real mongod: in order, never lost, and cheap however much lies behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from shared.contracts.events import Outgoing
from shared.runtime.clock import ManualClock
from shared.storage.client import Collection, Database
from shared.storage.outbox import BATCH, WAITS, Relay, append, declare_outbox, entry

Publish = Callable[[Outgoing], Awaitable[None]]


@pytest.fixture
async def things(either_database: Database) -> Collection:
    collection = either_database["things"]
    await declare_outbox(collection)
    return collection


@pytest.fixture
async def start(
    things: Collection, clock: ManualClock
) -> AsyncIterator[Callable[[Publish], Relay]]:
    """Starts relays over `things` and stops them afterwards."""
    relays: list[Relay] = []

    def started(publish: Publish) -> Relay:
        relay = Relay([things], publish, clock)
        relay.start()
        relays.append(relay)
        return relay

    yield started
    for relay in relays:
        await relay.stop(1.0)


async def announce(things: Collection, clock: ManualClock, id: str, *events: str) -> None:
    """Change a document and put events into its outbox, in one update."""
    entries = [
        entry(Outgoing(event, "a.topic", event.encode(), None), clock.now()) for event in events
    ]
    await things.update_one({"_id": id}, append(*entries), upsert=True)


async def until(condition: Callable[[], bool], seconds: float = 6.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def test_what_is_sent_is_byte_for_byte_what_was_written(
    things: Collection, clock: ManualClock, broker: Any
) -> None:
    message = Outgoing("e1", "article.published.breaking", b"\x00{}\xff", "00-trace-01")
    await things.update_one({"_id": "a"}, append(entry(message, clock.now())), upsert=True)
    assert await Relay([things], broker.publish, clock).drain() == 0
    assert broker.confirmed == [message]


async def test_events_of_one_document_go_in_order_and_leave_no_flag(
    things: Collection, clock: ManualClock, broker: Any
) -> None:
    await announce(things, clock, "a", "a1", "a2")
    await announce(things, clock, "a", "a3")
    await announce(things, clock, "b", "b1")
    assert await Relay([things], broker.publish, clock).drain() == 0
    assert [id for id in broker.ids if id.startswith("a")] == ["a1", "a2", "a3"]
    assert sorted(broker.ids) == ["a1", "a2", "a3", "b1"]
    assert await things.find({}, sort=[("_id", 1)]) == [
        {"_id": "a", "outbox": []},
        {"_id": "b", "outbox": []},
    ]


async def test_the_first_failure_stops_that_document_only(
    things: Collection, clock: ManualClock, broker: Any
) -> None:
    await announce(things, clock, "a", "a1", "a2", "a3")
    await announce(things, clock, "b", "b1")
    broker.refused = {"a2"}
    relay = Relay([things], broker.publish, clock)
    assert await relay.drain() == 1
    assert sorted(broker.ids) == ["a1", "b1"]
    waiting = await things.find_one({"_id": "a"})
    assert waiting is not None
    assert [event["id"] for event in waiting["outbox"]] == ["a2", "a3"]
    assert waiting["outbox_pending"] is True
    broker.refused = set()
    assert await relay.drain() == 0
    assert [id for id in broker.ids if id.startswith("a")] == ["a1", "a2", "a3"]


async def test_drain_sends_more_than_one_batch(
    things: Collection, clock: ManualClock, broker: Any
) -> None:
    await asyncio.gather(*(announce(things, clock, f"d{n}", f"e{n}") for n in range(BATCH + 20)))
    assert await Relay([things], broker.publish, clock).drain() == 0
    assert len(broker.ids) == BATCH + 20


async def test_a_crash_between_confirm_and_removal_sends_twice_and_loses_nothing(
    things: Collection, clock: ManualClock, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await announce(things, clock, "a", "a1", "a2")

    async def dies(*_: Any) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr("shared.storage.outbox._remove", dies)
        assert await Relay([things], broker.publish, clock).drain() == 1
    assert broker.ids == ["a1"]
    assert await Relay([things], broker.publish, clock).drain() == 0
    assert broker.ids == ["a1", "a1", "a2"]


async def test_a_broker_that_is_away_costs_nothing_and_everything_arrives_after(
    things: Collection, clock: ManualClock, broker: Any, start: Callable[[Publish], Relay]
) -> None:
    broker.refusing = True
    relay = start(broker.publish)
    for number in range(5):
        await announce(things, clock, f"d{number}", f"e{number}.1", f"e{number}.2")
        relay.wake("things", f"d{number}")
    clock.advance(60)
    await until(lambda: broker.tried >= 8)
    assert await things.count(WAITS) == 5
    broker.refusing = False
    await until(lambda: len(broker.ids) == 10, 8.0)
    for number in range(5):
        mine = [id for id in broker.ids if id.startswith(f"e{number}.")]
        assert mine == [f"e{number}.1", f"e{number}.2"]
    await relay.stop()
    assert await things.count(WAITS) == 0


async def test_an_event_that_nobody_takes_does_not_delay_the_others(
    things: Collection, clock: ManualClock, broker: Any, start: Callable[[Publish], Relay]
) -> None:
    broker.refused = {"poison"}
    await announce(things, clock, "bad", "poison")
    clock.advance(60)
    relay = start(broker.publish)
    await until(lambda: broker.tried >= 3)  # the relay as a whole is backing off by now
    loop = asyncio.get_running_loop()
    for number in range(5):
        await announce(things, clock, f"d{number}", f"e{number}")
        began = loop.time()
        relay.wake("things", f"d{number}")
        await until(lambda number=number: f"e{number}" in broker.ids)  # type: ignore[misc]
        assert loop.time() - began < 0.5


async def test_a_wake_sends_at_once_and_the_poll_leaves_young_events_to_their_writer(
    things: Collection, clock: ManualClock, broker: Any, start: Callable[[Publish], Relay]
) -> None:
    relay = start(broker.publish)
    await announce(things, clock, "woken", "w1")
    await announce(things, clock, "orphan", "o1")
    relay.wake("things", "woken")
    await until(lambda: broker.ids == ["w1"], 1.0)
    await asyncio.sleep(1.2)  # a poll has passed, but by this clock `o1` is new
    assert broker.ids == ["w1"]
    clock.advance(1.5)  # now its writer must be dead
    await until(lambda: broker.ids == ["w1", "o1"], 2.5)


async def test_an_event_written_while_the_document_is_being_sent_goes_too(
    things: Collection, clock: ManualClock, broker: Any, start: Callable[[Publish], Relay]
) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(message: Outgoing) -> None:
        entered.set()
        await release.wait()
        await broker.publish(message)

    relay = start(slow)
    await announce(things, clock, "a", "a1")
    relay.wake("things", "a")
    await entered.wait()
    await announce(things, clock, "a", "a2")
    relay.wake("things", "a")
    await asyncio.sleep(0.02)
    release.set()
    await until(lambda: broker.ids == ["a1", "a2"], 0.9)


async def test_an_event_written_after_the_last_look_is_not_left_to_the_poll(
    things: Collection,
    clock: ManualClock,
    broker: Any,
    start: Callable[[Publish], Relay],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relay, look = start(broker.publish), things.find_one

    async def slow_look(*args: Any) -> Any:
        seen = await look(*args)
        if not seen["outbox"]:  # the relay is about to believe that it is done
            monkeypatch.setattr(things, "find_one", look)
            await announce(things, clock, "a", "a2")
            relay.wake("things", "a")
            await asyncio.sleep(0.02)
        return seen

    monkeypatch.setattr(things, "find_one", slow_look)
    await announce(things, clock, "a", "a1")
    relay.wake("things", "a")
    await until(lambda: broker.ids == ["a1", "a2"], 3.0)  # by this clock no poll would find it


async def test_two_relays_at_once_lose_nothing_and_keep_the_order_of_first_arrivals(
    things: Collection, clock: ManualClock, broker: Any
) -> None:
    expected = [f"e{number}" for number in range(6)]
    for document in "abcd":
        await announce(things, clock, document, *(f"{document}.{id}" for id in expected))
    relays = [Relay([things], broker.publish, clock) for _ in range(2)]
    await asyncio.gather(*(relay.drain() for relay in relays))
    assert await relays[0].drain() == 0
    for document in "abcd":
        first_arrivals = list(dict.fromkeys(id for id in broker.ids if id.startswith(document)))
        assert first_arrivals == [f"{document}.{id}" for id in expected]


async def test_stop_waits_for_a_send_that_the_last_poll_began(
    things: Collection, clock: ManualClock, broker: Any, start: Callable[[Publish], Relay]
) -> None:
    finished: list[str] = []

    async def slow(message: Outgoing) -> None:
        await asyncio.sleep(0.2)
        finished.append(message.id)

    await announce(things, clock, "a", "a1")
    clock.advance(5)
    relay = start(slow)
    await asyncio.sleep(0)  # the runner is inside its first poll
    await relay.stop(2.0)
    assert finished == ["a1"]
    assert await things.count(WAITS) == 0


@pytest.mark.parametrize("query", ["poll", "drain"])
async def test_looking_for_work_reads_the_index_and_hardly_any_document(
    database: Database, clock: ManualClock, query: str
) -> None:
    things = database["things"]
    await declare_outbox(things)
    await announce(things, clock, "a", "a1", "a2")
    await fill(things, 2000)
    clock.advance(5)
    conditions = WAITS if query == "drain" else {**WAITS, "outbox.at": {"$lte": clock.now()}}
    explained = await database._raw.command(  # the server's own word on its plan
        {"explain": {"find": "things", "filter": conditions, "limit": BATCH}}
    )
    statistics = explained["executionStats"]
    assert await things.count({}) == 2001
    assert statistics["nReturned"] == 1
    assert statistics["totalDocsExamined"] <= 3
    assert "'indexName': 'outbox'" in str(explained["queryPlanner"]["winningPlan"])


async def fill(things: Collection, documents: int) -> None:
    """Many documents without events, made by the server itself."""
    await things.aggregate(
        [
            {"$limit": 1},
            {"$project": {"n": {"$range": [0, documents]}}},
            {"$unwind": "$n"},
            {"$project": {"_id": "$n", "n": 1}},
            {"$merge": {"into": "things"}},
        ]
    )
