"""RabbitMQ killed, emptied, starved and robbed of its queues: what was confirmed is handled all the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import aio_pika
import pytest

from services.standalone.rabbitmq import PrivateRabbit
from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing, write_event
from shared.contracts.identity import TokenRevoked
from shared.messaging.bus import BrokerUnavailable, BusError, Park, Subscription, Unroutable
from shared.messaging.rabbit import RabbitBus
from shared.runtime.ids import new_id, new_token

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LADDER = (0.05, 0.1)


@asynccontextmanager
async def open_rabbit(url: str, publish_timeout: float = 5.0) -> AsyncIterator[RabbitBus]:
    bus = RabbitBus(url, ladder=LADDER, publish_timeout=publish_timeout)
    try:
        yield bus
    finally:
        await bus.stop(grace=1)
        await bus.close()


async def until(condition: Callable[[], Awaitable[bool] | bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.02)


def corner() -> Subscription:
    """A queue and a topic that no other test shares."""
    name = f"s{new_token()}"
    return Subscription(f"{name}.articles", (f"{name}.#",))


def message_for(subscription: Subscription) -> Outgoing:
    key = subscription.topics[0].replace("#", "published")
    data = TokenRevoked(token_id="t", expires_at=AT)
    event = write_event(data, id=new_id(), source="/test", subject="t", time=AT)
    return Outgoing(event.id, key, event.wire())


class Ear:
    """A handler that counts."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()

    async def __call__(self, event: Event[EventData]) -> None:
        self.heard[event.id] += 1


async def test_what_was_confirmed_before_during_and_after_a_kill_is_handled(
    rabbit: PrivateRabbit,
) -> None:
    """Asserted: after `settle` (a 3.10 node forgets younger quorum queues, see servers.md), every
    confirmed message is handled at least once; each publish either confirms or raises in time."""
    subscription, ear, confirmed, refused = corner(), Ear(), list[str](), 0
    stop_publishing = asyncio.Event()

    async def publish_for_ever(bus: RabbitBus) -> None:
        nonlocal refused
        while not stop_publishing.is_set():
            message = message_for(subscription)
            while not stop_publishing.is_set():
                try:
                    await bus.publish(message)
                    confirmed.append(message.id)
                    break
                except BusError:
                    refused += 1
                    await asyncio.sleep(0.1)

    async with open_rabbit(rabbit.url, publish_timeout=2) as bus:
        await bus.declare((subscription,))
        await asyncio.to_thread(rabbit.settle)
        await bus.subscribe(subscription, ear)
        publishers = [asyncio.create_task(publish_for_ever(bus)) for _ in range(8)]
        await until(lambda: len(confirmed) > 300)
        await asyncio.to_thread(rabbit.kill)
        before = len(confirmed)
        await until(lambda: not bus.consuming()[subscription.queue])
        await asyncio.to_thread(rabbit.start)
        await until(lambda: len(confirmed) > before + 300, seconds=30)
        stop_publishing.set()
        await asyncio.gather(*publishers)
        await until(lambda: set(confirmed) <= set(ear.heard))
        assert refused > 0
        assert bus.consuming() == {subscription.queue: True}


async def test_an_empty_broker_gets_everything_back(rabbit: PrivateRabbit) -> None:
    subscription, only_declared, ear = corner(), corner(), Ear()
    failures = 0

    async def failing_once(event: Event[EventData]) -> None:
        nonlocal failures
        failures += 1
        if failures == 1:
            raise RuntimeError("the ladder must be there too")
        await ear(event)

    async with open_rabbit(rabbit.url) as bus:
        await bus.declare((subscription, only_declared))
        await bus.subscribe(subscription, failing_once)
        await until(lambda: bus.consuming()[subscription.queue])
        await asyncio.to_thread(rabbit.stop)
        await until(lambda: not bus.consuming()[subscription.queue])
        await asyncio.to_thread(rabbit.wipe)
        with pytest.raises(BrokerUnavailable):
            async with asyncio.timeout(6):
                await bus.publish(message_for(subscription))
        await asyncio.to_thread(rabbit.start)
        await until(lambda: bus.consuming()[subscription.queue])
        message = message_for(subscription)
        await bus.publish(message)
        await bus.publish(message_for(only_declared))
        await until(lambda: ear.heard[message.id] == 1)
        assert failures == 2


async def test_a_bus_made_before_its_broker_starts_working_with_it(rabbit: PrivateRabbit) -> None:
    subscription, ear = corner(), Ear()
    await asyncio.to_thread(rabbit.stop)
    try:
        async with open_rabbit(rabbit.url, publish_timeout=0.3) as bus:
            await bus.subscribe(subscription, ear)
            assert bus.consuming() == {subscription.queue: False}
            with pytest.raises(BrokerUnavailable):
                await bus.publish(message_for(subscription))
            await asyncio.to_thread(rabbit.start)
            await until(lambda: bus.consuming()[subscription.queue])
            message = message_for(subscription)

            async def published() -> bool:
                # The publishing connection comes back on its own back-off, up to two seconds.
                try:
                    await bus.publish(message)
                except BrokerUnavailable:
                    return False
                return True

            async with asyncio.timeout(20):
                while not await published():
                    await asyncio.sleep(0.1)
            await until(lambda: ear.heard[message.id] >= 1)
    finally:
        await asyncio.to_thread(rabbit.start)


async def test_a_deleted_queue_is_declared_and_consumed_again(rabbit: PrivateRabbit) -> None:
    subscription, ear = corner(), Ear()
    async with open_rabbit(rabbit.url) as bus, await aio_pika.connect(rabbit.url) as connection:
        await bus.subscribe(subscription, ear)
        await until(lambda: bus.consuming()[subscription.queue])
        async with connection.channel() as channel:
            queue = await channel.get_queue(subscription.queue)
            await queue.delete(if_unused=False, if_empty=False)
        await until(lambda: not bus.consuming()[subscription.queue])
        await until(lambda: bus.consuming()[subscription.queue])
        message = message_for(subscription)
        await bus.publish(message)
        await until(lambda: ear.heard[message.id] == 1)


async def test_a_failed_message_outlives_a_deleted_ladder(rabbit: PrivateRabbit) -> None:
    subscription, ear = corner(), Ear()
    connection = await aio_pika.connect(rabbit.url)
    async with open_rabbit(rabbit.url) as bus, connection, connection.channel() as channel:

        async def failing_once(event: Event[EventData]) -> None:
            await ear(event)
            if ear.heard[event.id] == 1:
                await channel.exchange_delete("herald.retry.50ms")
                raise RuntimeError("no")

        await bus.subscribe(subscription, failing_once)
        await until(lambda: bus.consuming()[subscription.queue])
        message = message_for(subscription)
        await bus.publish(message)
        await until(lambda: ear.heard[message.id] >= 2)


async def test_a_parked_message_carries_its_headers(rabbit: PrivateRabbit) -> None:
    subscription = corner()

    async def poisoned(event: Event[EventData]) -> None:
        raise Park("no repetition can help")

    async with open_rabbit(rabbit.url) as bus, await aio_pika.connect(rabbit.url) as connection:
        await bus.subscribe(subscription, poisoned)
        await until(lambda: bus.consuming()[subscription.queue])
        message = message_for(subscription)
        await bus.publish(message)

        async def parked() -> bool:
            return bool(await bus.dead_letters(subscription.queue))

        await until(parked)
        async with connection.channel() as channel:
            queue = await channel.get_queue(f"{subscription.queue}.dead")
            raw = await queue.get()
            assert raw is not None
            assert raw.message_id == message.id
            assert raw.content_type == "application/cloudevents+json"
            assert raw.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
            assert raw.headers["x-herald-attempt"] == 1
            assert raw.headers["x-herald-error"] == "Park: no repetition can help"
            assert raw.headers["x-herald-origin"] == subscription.queue
            failed_at = datetime.fromisoformat(str(raw.headers["x-herald-failed-at"]))
            assert failed_at.tzinfo is not None


async def test_a_message_that_kills_its_consumer_is_parked_by_the_broker(
    rabbit: PrivateRabbit,
) -> None:
    subscription = corner()
    async with open_rabbit(rabbit.url) as bus:
        await bus.declare((subscription,))
        message = message_for(subscription)
        await bus.publish(message)
        deliveries = 0
        # A process that dies holding the message, again and again.
        async with await aio_pika.connect(rabbit.url) as connection:
            while deliveries < 30:
                async with connection.channel() as channel:
                    queue = await channel.get_queue(subscription.queue, ensure=False)
                    if await queue.get(fail=False) is None:
                        break
                    deliveries += 1
        assert deliveries == 21  # the limit and the first one, as on every version

        async def parked() -> bool:
            return bool(await bus.dead_letters(subscription.queue))

        await until(parked)
        (letter,) = await bus.dead_letters(subscription.queue)
        assert letter.id == message.id
        assert letter.error == "parked by the broker: delivery_limit"


async def test_a_handler_cut_by_a_short_stop_is_not_lost(rabbit: PrivateRabbit) -> None:
    subscription, started, ear = corner(), asyncio.Event(), Ear()

    async def endless(event: Event[EventData]) -> None:
        started.set()
        await asyncio.Event().wait()

    async with open_rabbit(rabbit.url) as bus:
        await bus.subscribe(subscription, endless)
        await until(lambda: bus.consuming()[subscription.queue])
        sent = [message_for(subscription) for _ in range(20)]  # more than the prefetch
        await asyncio.gather(*(bus.publish(message) for message in sent))
        await started.wait()
        await bus.stop(grace=0.1)
        async with open_rabbit(rabbit.url) as successor:
            await successor.subscribe(subscription, ear)
            await until(lambda: len(ear.heard) == 20)
        assert ear.heard == Counter({message.id: 1 for message in sent})


async def test_a_handler_outlives_its_connection(rabbit: PrivateRabbit) -> None:
    subscription, started, gate = corner(), asyncio.Event(), asyncio.Event()
    begun: list[str] = []
    finished: list[str] = []

    async def slow(event: Event[EventData]) -> None:
        begun.append(event.id)
        started.set()
        await gate.wait()
        finished.append(event.id)

    async with open_rabbit(rabbit.url) as bus:
        await bus.subscribe(subscription, slow)
        await until(lambda: bus.consuming()[subscription.queue])
        message = message_for(subscription)
        await bus.publish(message)
        await started.wait()
        await asyncio.to_thread(rabbit.control, "close_all_connections", "test")
        await until(lambda: not bus.consuming()[subscription.queue])
        await until(lambda: bus.consuming()[subscription.queue])
        await until(lambda: len(begun) == 2)  # it came again, while the first is still at work
        gate.set()
        await until(lambda: finished == [message.id, message.id])


async def test_unroutable_is_said_and_the_channel_stays_sound(rabbit: PrivateRabbit) -> None:
    subscription, ear = corner(), Ear()
    async with open_rabbit(rabbit.url) as bus:
        await bus.subscribe(subscription, ear)
        await until(lambda: bus.consuming()[subscription.queue])
        good = [message_for(subscription) for _ in range(50)]
        lost = [message_for(corner()) for _ in range(50)]
        results = await asyncio.gather(
            *(bus.publish(message) for pair in zip(good, lost, strict=True) for message in pair),
            return_exceptions=True,
        )
        assert results[0::2] == [None] * 50
        assert all(isinstance(result, Unroutable) for result in results[1::2])
        await until(lambda: len(ear.heard) == 50)


async def test_a_returned_message_is_never_taken_for_its_namesake(rabbit: PrivateRabbit) -> None:
    subscription, elsewhere = corner(), corner()
    async with open_rabbit(rabbit.url) as bus:
        await bus.declare((subscription,))
        for _ in range(20):
            good = message_for(subscription)
            lost = replace(good, routing_key=message_for(elsewhere).routing_key)
            results = await asyncio.gather(
                bus.publish(lost), bus.publish(good), return_exceptions=True
            )
            assert isinstance(results[0], Unroutable)
            assert results[1] is None


async def test_other_arguments_are_an_error_that_names_them(rabbit: PrivateRabbit) -> None:
    subscription = corner()
    async with open_rabbit(rabbit.url) as bus, await aio_pika.connect(rabbit.url) as connection:
        async with connection.channel() as channel:
            await channel.declare_queue(subscription.queue, durable=True)
        with pytest.raises(BusError, match="inequivalent arg") as raised:
            await bus.declare((subscription,))
        assert not isinstance(raised.value, BrokerUnavailable)


async def test_a_memory_alarm_refuses_in_time_and_lets_consumers_drain(
    rabbit: PrivateRabbit,
) -> None:
    subscription, ear, gate = corner(), Ear(), asyncio.Event()

    async def gated(event: Event[EventData]) -> None:
        await gate.wait()
        await ear(event)

    async with open_rabbit(rabbit.url, publish_timeout=0.5) as bus:
        await bus.subscribe(subscription, gated)
        await until(lambda: bus.consuming()[subscription.queue])
        waiting = [message_for(subscription) for _ in range(20)]
        await asyncio.gather(*(bus.publish(message) for message in waiting))
        watermark = "set_vm_memory_high_watermark"
        await asyncio.to_thread(rabbit.control, watermark, "absolute", "1MB")
        try:
            blocked = [message_for(subscription) for _ in range(10)]
            for _ in range(3):
                results = await asyncio.gather(
                    *(bus.publish(message) for message in blocked), return_exceptions=True
                )
                assert all(isinstance(result, BrokerUnavailable) for result in results)
            gate.set()
            # 20 is more than the prefetch: the acknowledgements got through.
            await until(lambda: all(ear.heard[message.id] for message in waiting))
        finally:
            await asyncio.to_thread(rabbit.control, watermark, "0.4")

        async def works_again() -> bool:
            try:
                await asyncio.gather(*(bus.publish(message) for message in blocked))
            except BrokerUnavailable:
                return False
            return True

        await until(works_again)
        await until(lambda: all(ear.heard[message.id] for message in blocked))
