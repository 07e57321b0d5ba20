"""One suite over both buses: whatever is behind the `Bus` contract, these promises hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest

from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing, write_event
from shared.contracts.identity import TokenRevoked
from shared.messaging.bus import Bus, Park, Subscription, Unroutable
from shared.messaging.opening import open_bus
from shared.runtime.ids import new_id, new_token

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LADDER = (0.05, 0.1)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Away(Exception):
    """Stands for a database that cannot be reached."""


async def until(condition: Callable[[], Awaitable[bool] | bool], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.02)


class Newsroom:
    """A bus with a corner of its own: the exchange is shared by every test of the session."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.topic = f"t{new_token()}"

    def subscription(self, name: str, *topics: str, prefetch: int = 8) -> Subscription:
        return Subscription(
            f"{self.topic}.{name}",
            tuple(f"{self.topic}.{topic}" for topic in topics or ("#",)),
            prefetch,
        )

    def message(self, key: str = "published", id: str | None = None) -> Outgoing:
        event = write_event(
            TokenRevoked(token_id=key, expires_at=AT),
            id=id or new_id(),
            source="/test",
            subject="t",
            time=AT,
            traceparent=TRACE,
        )
        return Outgoing(event.id, f"{self.topic}.{key}", event.wire(), TRACE)

    async def subscribe(
        self, subscription: Subscription, handler: Callable[[Event[EventData]], Awaitable[None]]
    ) -> None:
        await self.bus.declare((subscription,))
        await self.bus.subscribe(subscription, handler)
        await until(lambda: self.bus.consuming().get(subscription.queue, False))

    async def parked(self, subscription: Subscription, count: int = 1) -> None:
        async def enough() -> bool:
            return len(await self.bus.dead_letters(subscription.queue)) >= count

        await until(enough)


@pytest.fixture(params=["memory", "rabbit"])
async def newsroom(request: pytest.FixtureRequest) -> AsyncIterator[Newsroom]:
    url = "memory://" if request.param == "memory" else request.getfixturevalue("rabbit").url
    bus = open_bus(url, ladder=LADDER, pause_on=(Away,))
    yield Newsroom(bus)
    await bus.stop(grace=1)
    await bus.close()


async def test_every_matching_queue_hears_once_and_the_others_nothing(newsroom: Newsroom) -> None:
    heard: dict[str, list[str]] = {"all": [], "express": [], "other": []}

    def listener(name: str) -> Callable[[Event[EventData]], Awaitable[None]]:
        async def hear(event: Event[EventData]) -> None:
            heard[name].append(event.id)

        return hear

    await newsroom.subscribe(newsroom.subscription("all", "article.#"), listener("all"))
    await newsroom.subscribe(
        newsroom.subscription("express", "article.*.breaking", "article.#"), listener("express")
    )
    await newsroom.subscribe(newsroom.subscription("other", "outlet.*"), listener("other"))
    message = newsroom.message("article.published.breaking")
    await newsroom.bus.publish(message)
    await until(lambda: heard["all"] == heard["express"] == [message.id])
    await asyncio.sleep(0.1)
    assert heard == {"all": [message.id], "express": [message.id], "other": []}


async def test_the_event_arrives_as_it_was_written(newsroom: Newsroom) -> None:
    got: list[Event[EventData]] = []

    async def hear(event: Event[EventData]) -> None:
        got.append(event)

    await newsroom.subscribe(newsroom.subscription("all"), hear)
    message = newsroom.message()
    await newsroom.bus.publish(message)
    await until(lambda: bool(got))
    assert got[0].wire() == message.body
    assert got[0].traceparent == TRACE
    assert isinstance(got[0].data, TokenRevoked)


async def test_unroutable_raises(newsroom: Newsroom) -> None:
    await newsroom.bus.declare((newsroom.subscription("all", "article.*"),))
    with pytest.raises(Unroutable):
        await newsroom.bus.publish(newsroom.message("outlet.reported"))


async def test_what_came_before_the_consumer_waits_for_it(newsroom: Newsroom) -> None:
    subscription, got = newsroom.subscription("all"), list[str]()
    await newsroom.bus.declare((subscription,))
    sent = [newsroom.message() for _ in range(3)]
    for message in sent:
        await newsroom.bus.publish(message)

    async def hear(event: Event[EventData]) -> None:
        got.append(event.id)

    await newsroom.subscribe(subscription, hear)
    await until(lambda: len(got) == 3)
    assert sorted(got) == sorted(message.id for message in sent)


async def test_a_failing_handler_is_retried_and_its_neighbour_is_left_alone(
    newsroom: Newsroom,
) -> None:
    tries: list[float] = []
    neighbour: list[str] = []

    async def twice_failing(event: Event[EventData]) -> None:
        tries.append(asyncio.get_running_loop().time())
        if len(tries) <= 2:
            raise RuntimeError("not yet")

    async def hear(event: Event[EventData]) -> None:
        neighbour.append(event.id)

    failing = newsroom.subscription("failing")
    await newsroom.subscribe(failing, twice_failing)
    await newsroom.subscribe(newsroom.subscription("fine"), hear)
    await newsroom.bus.publish(newsroom.message())
    await until(lambda: len(tries) == 3)
    await asyncio.sleep(0.2)
    assert len(tries) == 3
    assert len(neighbour) == 1
    assert tries[1] - tries[0] >= LADDER[0] * 0.9
    assert tries[2] - tries[1] >= LADDER[1] * 0.9
    assert await newsroom.bus.dead_letters(failing.queue) == []


async def test_after_the_last_rung_a_message_is_parked_with_its_reason(newsroom: Newsroom) -> None:
    async def failing(event: Event[EventData]) -> None:
        raise RuntimeError("the disk is full")

    subscription = newsroom.subscription("failing")
    await newsroom.subscribe(subscription, failing)
    message = newsroom.message()
    await newsroom.bus.publish(message)
    await newsroom.parked(subscription)
    (letter,) = await newsroom.bus.dead_letters(subscription.queue)
    assert (letter.id, letter.queue, letter.body) == (message.id, subscription.queue, message.body)
    assert (letter.error, letter.attempts) == ("RuntimeError: the disk is full", 3)
    assert letter.failed_at is not None
    assert abs((datetime.now(UTC) - letter.failed_at).total_seconds()) < 60


async def test_park_and_nonsense_are_parked_at_once(newsroom: Newsroom) -> None:
    calls: list[str] = []

    async def refusing(event: Event[EventData]) -> None:
        calls.append(event.id)
        raise Park("no such article")

    subscription = newsroom.subscription("refusing")
    await newsroom.subscribe(subscription, refusing)
    key = f"{newsroom.topic}.published"
    await newsroom.bus.publish(newsroom.message(id="refused"))
    await newsroom.bus.publish(Outgoing("garbage", key, b"\xff not json"))
    await newsroom.bus.publish(Outgoing("alien", key, b'{"id":"alien","type":"weather.report"}'))
    await newsroom.parked(subscription, 3)
    letters = {
        letter.error.split(":")[0]: letter
        for letter in await newsroom.bus.dead_letters(subscription.queue)
    }
    assert calls == ["refused"]
    assert letters["Park"].id == "refused"
    assert letters["UnknownEventType"].id == "alien"
    assert letters["JSONDecodeError"].body == b"\xff not json"
    assert {letter.attempts for letter in letters.values()} == {1}


async def test_looking_takes_nothing_away_and_keeps_the_order(newsroom: Newsroom) -> None:
    async def refusing(event: Event[EventData]) -> None:
        raise Park("no")

    subscription = newsroom.subscription("refusing", prefetch=1)
    await newsroom.subscribe(subscription, refusing)
    for number in range(5):
        await newsroom.bus.publish(newsroom.message(id=f"e{number}"))
    await newsroom.parked(subscription, 5)
    for _ in range(25):  # more often than any default delivery limit
        letters = await newsroom.bus.dead_letters(subscription.queue)
        assert [letter.id for letter in letters] == [f"e{number}" for number in range(5)]


async def test_replay_and_discard_touch_only_what_they_are_told(newsroom: Newsroom) -> None:
    mended = False
    handled: list[str] = []

    async def handler(event: Event[EventData]) -> None:
        if not mended:
            raise Park("broken")
        handled.append(event.id)

    subscription = newsroom.subscription("mended", prefetch=1)
    await newsroom.subscribe(subscription, handler)
    for number in range(4):
        await newsroom.bus.publish(newsroom.message(id=f"e{number}"))
    await newsroom.parked(subscription, 4)
    mended = True
    assert await newsroom.bus.replay(subscription.queue, {"e1", "nobody"}) == 1
    await until(lambda: handled == ["e1"])
    assert await newsroom.bus.discard(subscription.queue, {"e2"}) == 1
    left = await newsroom.bus.dead_letters(subscription.queue)
    assert [letter.id for letter in left] == ["e0", "e3"]
    assert await newsroom.bus.replay(subscription.queue) == 2
    await until(lambda: handled == ["e1", "e0", "e3"])
    assert await newsroom.bus.dead_letters(subscription.queue) == []


async def test_a_replayed_message_has_the_whole_ladder_before_it(newsroom: Newsroom) -> None:
    calls = 0

    async def failing(event: Event[EventData]) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError("still")

    subscription = newsroom.subscription("failing")
    await newsroom.subscribe(subscription, failing)
    await newsroom.bus.publish(newsroom.message())
    await newsroom.parked(subscription)
    assert calls == 3
    await newsroom.bus.replay(subscription.queue)
    await until(lambda: calls == 6)
    await newsroom.parked(subscription)


async def test_prefetch_bounds_how_many_are_handled_at_once(newsroom: Newsroom) -> None:
    running = peak = done = 0

    async def handler(event: Event[EventData]) -> None:
        nonlocal running, peak, done
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.05)
        running -= 1
        done += 1

    await newsroom.subscribe(newsroom.subscription("few", prefetch=3), handler)
    await asyncio.gather(*(newsroom.bus.publish(newsroom.message()) for _ in range(12)))
    await until(lambda: done == 12)
    assert peak == 3


async def test_an_absent_database_pauses_the_message_and_burns_no_attempt(
    newsroom: Newsroom,
) -> None:
    calls: list[str] = []

    async def handler(event: Event[EventData]) -> None:
        calls.append(event.id)
        if len(calls) <= 2:
            raise Away("no primary")

    subscription = newsroom.subscription("pausing", prefetch=1)
    await newsroom.subscribe(subscription, handler)
    first, second = newsroom.message(), newsroom.message()
    await asyncio.gather(newsroom.bus.publish(first), newsroom.bus.publish(second))
    await until(lambda: len(calls) == 4)
    # Prefetch 1: the second message waited behind the paused one instead of overtaking by a retry.
    assert calls[:3] == [calls[0]] * 3
    assert calls[3] != calls[0]
    assert await newsroom.bus.dead_letters(subscription.queue) == []


async def test_a_cancelled_future_inside_a_handler_is_an_ordinary_failure(
    newsroom: Newsroom,
) -> None:
    async def handler(event: Event[EventData]) -> None:
        raise asyncio.CancelledError("a future of its own was cancelled")

    subscription = newsroom.subscription("cancelling")
    await newsroom.subscribe(subscription, handler)
    await newsroom.bus.publish(newsroom.message())
    await newsroom.parked(subscription)
    (letter,) = await newsroom.bus.dead_letters(subscription.queue)
    assert letter.error.startswith("CancelledError")


async def test_stop_lets_a_running_handler_finish(newsroom: Newsroom) -> None:
    started, finished = asyncio.Event(), list[str]()

    async def handler(event: Event[EventData]) -> None:
        started.set()
        await asyncio.sleep(0.2)
        finished.append(event.id)

    subscription = newsroom.subscription("slow")
    await newsroom.subscribe(subscription, handler)
    message = newsroom.message()
    publishing = asyncio.create_task(newsroom.bus.publish(message))
    await started.wait()
    await newsroom.bus.stop(grace=5)
    await publishing
    assert finished == [message.id]
    assert not newsroom.bus.consuming().get(subscription.queue, False)


async def test_declaring_again_changes_nothing(newsroom: Newsroom) -> None:
    subscription = newsroom.subscription("all")
    await newsroom.bus.declare((subscription,))
    await newsroom.bus.publish(newsroom.message(id="kept"))
    await newsroom.bus.declare((subscription,))
    got: list[str] = []

    async def hear(event: Event[EventData]) -> None:
        got.append(event.id)

    await newsroom.subscribe(subscription, hear)
    await until(lambda: got == ["kept"])


async def test_the_same_event_may_be_published_twice_at_once(newsroom: Newsroom) -> None:
    got: list[str] = []

    async def hear(event: Event[EventData]) -> None:
        got.append(event.id)

    await newsroom.subscribe(newsroom.subscription("all"), hear)
    message = newsroom.message()
    await asyncio.gather(*(newsroom.bus.publish(message) for _ in range(5)))
    await until(lambda: got == [message.id] * 5)
