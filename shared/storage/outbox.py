"""The embedded outbox: an event rides in the document whose change it announces, until the broker has it.

Never announces what is not durably written (majority), never removes what is not confirmed. A crash
between confirm and removal sends an event twice, which every consumer tolerates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from shared.contracts.events import Outgoing
from shared.runtime.clock import Clock, monotonic
from shared.runtime.loops import Wakeable, back_off, finish
from shared.storage.client import Collection, Document

log = structlog.get_logger(__name__)

Publish = Callable[[Outgoing], Awaitable[None]]

POLL_SECONDS = 1.0
REPORTS_LINGER_SECONDS = 0.05
"""What outlets report may wait this long, so that the posts and pages themselves go first."""
CONCURRENT_DOCUMENTS = 16
BATCH = 200
WAITS: Document = {"outbox_pending": True, "outbox.at": {"$exists": True}}
"""Both conditions are needed: the flag selects the partial index, the other is its key."""

RELAYED = Counter("herald_outbox_relayed_total", "Events the broker confirmed", ["collection"])
WAITING = Gauge("herald_outbox_waiting", "Documents with events not yet confirmed", ["collection"])


def entry(message: Outgoing, at: Any) -> Document:
    """How one event is kept inside its document."""
    return {
        "id": message.id,
        "key": message.routing_key,
        "body": message.body,
        "trace": message.traceparent,
        "at": at,
    }


def append(*entries: Document) -> dict[str, Any]:
    """The update operators that put events into the outbox; merge them into the change itself."""
    return {
        "$push": {"outbox": {"$each": list(entries)}},
        "$set": {"outbox_pending": True},
    }


async def declare_outbox(collection: Collection) -> None:
    """The partial index the relay's poll runs on."""
    await collection.create_index(
        [("outbox.at", 1)], name="outbox", partialFilterExpression={"outbox_pending": True}
    )


class Relay:
    """Moves events from the documents of some collections to the broker.

    `wake(collection, id)` sends one document's events at once (called by the process that wrote
    them); the poll, once a second, finds what a crashed or slower process left behind. Events of
    one document go in order and stop at the first failure; documents go side by side.
    """

    def __init__(
        self,
        collections: Sequence[Collection],
        publish: Publish,
        clock: Clock,
        *,
        linger_seconds: float = 0.0,
    ) -> None:
        """`linger_seconds` is how long woken documents wait, where others' work is more urgent."""
        self._collections = {collection.name: collection for collection in collections}
        self._publish = publish
        self._clock = clock
        self._linger = linger_seconds
        self._woken: set[tuple[str, str]] = set()
        self._sending: set[tuple[str, str]] = set()
        self._again: set[tuple[str, str]] = set()
        self._wakeable = Wakeable()
        self._room = asyncio.Semaphore(CONCURRENT_DOCUMENTS)
        self._sends: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self._stopping = False
        self._failures = 0
        self._failed = False

    def wake(self, collection: str, id: str) -> None:
        """Say that this document has just got an event."""
        self._woken.add((collection, id))
        self._wakeable.wake()

    def start(self) -> None:
        self._runner = asyncio.create_task(self._run(), name="outbox relay")

    async def stop(self, grace: float = 10.0) -> None:
        """Finish what is being sent for `grace` seconds; the rest stays in the documents."""
        self._stopping = True
        self._wakeable.wake()
        deadline = monotonic() + grace
        # The runner first: it may be about to begin one more send.
        await finish([self._runner] if self._runner else [], grace)
        await finish(self._sends, deadline - monotonic())

    async def drain(self) -> int:
        """Send everything that is waiting now, once; answers how many documents still wait."""
        left = 0
        for name, collection in self._collections.items():
            found = [one["_id"] async for one in collection.scan(WAITS, {"_id": 1})]
            await asyncio.gather(*(self._send((name, id)) for id in found))
            left += await collection.count(WAITS)
        return left

    async def _run(self) -> None:
        next_poll = 0.0
        while not self._stopping:
            loop_time = asyncio.get_running_loop().time()
            if loop_time >= next_poll:
                next_poll = loop_time + self._poll_pause()
                try:
                    await self._poll()
                except Exception as error:
                    self._failed = True
                    log.warning("outbox poll failed", error=repr(error))
            if self._woken and self._linger:
                await asyncio.sleep(self._linger)
            while self._woken:
                self._begin(self._woken.pop())
            await self._wakeable.wait(max(0.0, next_poll - asyncio.get_running_loop().time()))

    def _poll_pause(self) -> float:
        """Seconds to the next poll, longer while the broker or the database is away.

        Nothing is counted against any event. A woken document is still tried once at once, so one
        event that nobody takes never delays the others.
        """
        if not self._failed:
            return POLL_SECONDS
        self._failed = False
        self._failures += 1
        return max(POLL_SECONDS, back_off(self._failures - 1))

    async def _poll(self) -> None:
        # Younger events belong to the process that wrote them; leaving them alone keeps two
        # replicas from sending everything twice.
        before = self._clock.now() - timedelta(seconds=POLL_SECONDS)
        for name, collection in self._collections.items():
            # The index yields the oldest first; asking for a sort would read the whole backlog,
            # because an index over an array cannot promise an order.
            found = await collection.find(
                {**WAITS, "outbox.at": {"$lte": before}}, {"_id": 1}, limit=BATCH
            )
            WAITING.labels(name).set(len(found))
            for document in found:
                self._begin((name, document["_id"]))

    def _begin(self, key: tuple[str, str]) -> None:
        if key in self._sending:
            self._again.add(key)
            return
        task = asyncio.create_task(self._send(key))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _send(self, key: tuple[str, str]) -> None:
        """Send one document's events in order, then take them out; look again for newer ones."""
        if key in self._sending:
            return
        self._sending.add(key)
        name, id = key
        collection = self._collections[name]
        try:
            async with self._room:
                while True:
                    document = await collection.find_one({"_id": id}, {"outbox": 1})
                    waiting = (document or {}).get("outbox") or []
                    if not waiting:
                        break
                    for event in waiting:
                        await self._publish(
                            Outgoing(event["id"], event["key"], event["body"], event.get("trace"))
                        )
                        await _remove(collection, id, event["id"])
                        RELAYED.labels(name).inc()
            self._failures = 0
        except Exception as error:
            self._failed = True
            log.warning("relay will try again", document=id, error=repr(error))
        finally:
            self._sending.discard(key)
            if key in self._again:
                # Woken while sending: the event may have come after the last look.
                self._again.discard(key)
                self.wake(*key)


async def _remove(collection: Collection, id: str, event_id: str) -> None:
    rest = {
        "$filter": {"input": "$outbox", "cond": {"$ne": ["$$this.id", event_id]}},
    }
    await collection.update_one(
        {"_id": id, "outbox.id": event_id},
        [
            {"$set": {"outbox": rest}},
            {
                "$set": {
                    "outbox_pending": {
                        "$cond": [{"$eq": [{"$size": "$outbox"}, 0]}, "$$REMOVE", True]
                    }
                }
            },
        ],
    )
