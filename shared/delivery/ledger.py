"""The ledger's store: every change of a delivery is one conditional update that also carries its report.

Never overwrites what it has not seen: each write filters on the fence it read, so a worker whose lease
ran out, or a person at a stale page, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Counter

from shared.contracts.events import Outgoing
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import (
    DOUBTFUL,
    EVERY_LANE,
    LANES,
    PENDING,
    Delivery,
    Document,
    Lanes,
    Plan,
    digest,
    from_document,
)
from shared.delivery.reads import LedgerReads
from shared.runtime.clock import Clock, elapsed_ms
from shared.storage.client import Collection
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry

Report = Callable[[Delivery], Outgoing | None]
"""The event that tells publishing of a delivery's new state; None for a delivery no board shows alone."""

LEASE_SECONDS = 90.0
"""Longer than the longest single call to the outside (30 s, three calls), so that a live holder keeps it."""

DOUBT_LOOK_SECONDS = 0.25
"""Doubts are rare, and looking for them costs as much as a claim."""

CHANGED = Counter("herald_delivery_states_total", "State changes", ["outlet", "state"])


class Ledger(LedgerReads):
    """Deliveries of one service, in one collection."""

    def __init__(
        self,
        collection: Collection,
        clock: Clock,
        report: Report,
        wake_relay: Callable[[str, str], None],
        *,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        super().__init__(collection)
        self._clock = clock
        self._report = report
        self._wake_relay = wake_relay
        self._lease = timedelta(seconds=lease_seconds)
        self._looked_for_doubts: datetime | None = None

    async def declare(self) -> None:
        """Indexes: due work, threads, an article's board, the outbox."""
        await self.collection.create_index(
            # With the outlet, so that what is left alone is passed over without being read.
            [("priority", 1), ("due_at", 1), ("outlet", 1)],
            name="due_by_outlet",
            partialFilterExpression={"due_at": {"$exists": True}},
        )
        await self.collection.create_index(
            [("priority", 1), ("state", 1), ("due_at", 1)],
            name="due_by_state",
            partialFilterExpression={"due_at": {"$exists": True}},
        )
        await self.collection.create_index([("thread", 1), ("revision", 1)], name="thread")
        await self.collection.create_index([("article_id", 1), ("revision", 1)], name="article")
        await self.collection.create_index([("state", 1), ("_id", -1)], name="state")
        await declare_outbox(self.collection)

    async def plan(self, plan: Plan) -> bool:
        """Enter what must happen; False when it was there already."""
        now = self._clock.now()
        try:
            return await self.collection.update_one(
                {"_id": plan.id},
                {
                    "$setOnInsert": {
                        "article_id": plan.article_id,
                        "outlet": plan.outlet,
                        "operation": plan.operation.value,
                        "intent": plan.intent,
                        "thread": plan.thread,
                        "publication": plan.publication,
                        "revision": plan.revision,
                        "step": plan.step,
                        "acted_at": plan.acted_at,
                        "priority": plan.priority,
                        "expires_at": plan.expires_at,
                        "subject": plan.subject,
                        "trace": plan.traceparent,
                        "state": DeliveryState.PLANNED.value,
                        "fence": 0,
                        "attempts": 0,
                        "planned_at": now,
                        "due_at": now,
                    }
                },
                upsert=True,
            )
        except Duplicate:
            return False  # another replica entered it in the same instant

    async def claim(self, lanes: Lanes = EVERY_LANE) -> Delivery | None:
        """Take the most urgent due delivery, with a fresh fence and a lease; None when none is due.

        Within a lane, and so on each outlet, the one that fell due first comes first.

        What was planned or waiting becomes `claimed`. What is found `armed` (its holder died in
        the middle) or `unknown` keeps its state: the worker must find out, not send. It comes
        first, because a look-up sees only so many of the posts that are newer.
        """
        now = self._clock.now()
        looked = self._looked_for_doubts
        kinds: tuple[Sequence[str] | None, ...] = (None,)
        if looked is None or abs((now - looked).total_seconds()) >= DOUBT_LOOK_SECONDS:
            self._looked_for_doubts, kinds = now, (DOUBTFUL, None)
        for priority, skipped in lanes.items():
            for states in kinds:
                if taken := await self._claim(now, priority, states, skipped):
                    if states:
                        self._looked_for_doubts = None  # there may be more
                    return taken
        return None

    async def _claim(
        self, now: datetime, priority: int, states: Sequence[str] | None, skipped: Iterable[str]
    ) -> Delivery | None:
        query: dict[str, Any] = {"priority": priority, "due_at": {"$lte": now}}
        if states:
            query["state"] = {"$in": list(states)}
        if skipped:
            query["outlet"] = {"$nin": sorted(skipped)}
        pending = {"$in": ["$state", list(PENDING)]}
        document = await self.collection.find_one_and_update(
            query,
            [
                {
                    "$set": {
                        "state": {"$cond": [pending, DeliveryState.CLAIMED.value, "$state"]},
                        "fence": {"$add": ["$fence", 1]},
                        "due_at": now + self._lease,
                    }
                }
            ],
            sort=[("due_at", 1)],
            projection={"outbox": 0},
        )
        return from_document(document) if document else None

    async def arm(
        self, delivery: Delivery, payload: Document, composed_from: int
    ) -> Delivery | None:
        """Freeze the payload: from here on the effect may have happened."""
        now = self._clock.now()
        return await self._change(
            delivery,
            {
                "state": DeliveryState.ARMED.value,
                "payload": payload,
                "payload_digest": digest(payload),
                "composed_from": composed_from,
                "armed_at": now,
                "due_at": now + self._lease,
                "attempts": delivery.attempts + 1,
            },
        )

    async def confirm(
        self, delivery: Delivery, result: Document | None, reason: str | None = None
    ) -> Delivery | None:
        """It happened, once, and this is what the outside calls it."""
        fields: Document = {
            "state": DeliveryState.CONFIRMED.value,
            "milliseconds": elapsed_ms(delivery.acted_at, self._clock.now()),
            "reason": reason,
            "due_at": None,
            "task": None,
        }
        if result is not None:
            fields["result"] = result
        done = await self._change(delivery, fields, report=True)
        await self._wake_thread(delivery)
        return done

    async def wait(
        self,
        delivery: Delivery,
        due_at: datetime,
        reason: str | None,
        *,
        report: bool = True,
        attempts: int | None = None,
    ) -> Delivery | None:
        """Nothing was applied; try again at `due_at`. The payload is composed afresh then."""
        state = DeliveryState.WAITING if report else DeliveryState.PLANNED
        fields: Document = {"state": state.value, "due_at": due_at, "payload": None}
        if attempts is not None:
            fields["attempts"] = attempts
        if reason is not None:
            fields["reason"] = reason
        return await self._change(delivery, fields, report=report)

    async def hand_over(self, delivery: Delivery, words: str, result: Document) -> Delivery | None:
        """It waits for a person, who does what `words` say or cancels it; `result` once it is done."""
        return await self._change(
            delivery,
            {
                "state": DeliveryState.WAITING.value,
                "reason": words,
                "due_at": None,
                "task": result,
            },
            report=True,
        )

    async def unknown(
        self, delivery: Delivery, reason: str, due_at: datetime | None
    ) -> Delivery | None:
        """It may have happened. `due_at` is when to look again, None where only a person can tell."""
        return await self._change(
            delivery,
            {
                "state": DeliveryState.UNKNOWN.value,
                "reason": reason,
                "due_at": due_at,
                "attempts": delivery.attempts + (delivery.state is DeliveryState.UNKNOWN),
            },
            report=True,
        )

    async def close(self, delivery: Delivery, state: DeliveryState, reason: str) -> Delivery | None:
        """End it without effect: failed, missed or cancelled."""
        fields = {"state": state.value, "reason": reason, "due_at": None, "task": None}
        done = await self._change(delivery, fields, report=True)
        await self._wake_thread(delivery)
        return done

    async def replan(
        self, delivery: Delivery, reason: str, *, however_late: bool = False
    ) -> Delivery | None:
        """Back to the start: it is certain that nothing was applied, or a person says so.

        `however_late` lifts the lateness limit: what a person asks for is no surprise.
        """
        fields: Document = {
            "state": DeliveryState.PLANNED.value,
            "reason": reason,
            "due_at": self._clock.now(),
            "payload": None,
            "task": None,
        }
        if however_late:
            fields["expires_at"] = None
        return await self._change(delivery, fields, report=True)

    async def hasten(self, outlet: str) -> int:
        """What waits on this outlet, or is in doubt, need wait no longer; how many that were."""
        now = self._clock.now()
        return await self.collection.update_many(
            {
                "priority": {"$in": list(LANES)},
                "due_at": {"$gt": now},
                "outlet": outlet,
                "state": {"$in": [DeliveryState.WAITING.value, DeliveryState.UNKNOWN.value]},
            },
            {"$set": {"due_at": now}},
        )

    async def cancel_pending(
        self, article_id: str, reason: str, *, before_revision: int, operation: Operation | None
    ) -> int:
        """Cancel what has not begun for this article; what is under way is left to its guards.

        Without an `operation` that is everything but deletions: nothing that comes later makes
        what was withdrawn public again, so what takes it back is never taken back itself.
        """
        query: dict[str, Any] = {
            "article_id": article_id,
            "revision": {"$lt": before_revision},
            "state": {"$in": list(PENDING)},
            "operation": operation.value if operation else {"$ne": Operation.DELETE.value},
        }
        cancelled = 0
        for document in await self.collection.find(query, {"outbox": 0}):
            done = await self.close(from_document(document), DeliveryState.CANCELLED, reason)
            cancelled += done is not None
        return cancelled

    async def _change(
        self, delivery: Delivery, fields: Document, *, report: bool = False
    ) -> Delivery | None:
        """Write `fields` if the fence still holds; None when someone else has moved it on."""
        fence = delivery.fence + 1
        update: dict[str, Any] = {"$set": {**fields, "fence": fence}}
        if fields.get("due_at", 0) is None:
            del update["$set"]["due_at"]
            update["$unset"] = {"due_at": ""}
        known = {**fields, "fence": fence}
        if "state" in known:
            known["state"] = DeliveryState(known["state"])
        known.pop("payload_digest", None)
        changed = replace(delivery, **known)
        event = self._report(changed) if report else None
        if event is not None:
            appended = append(entry(event, self._clock.now()))
            update["$push"] = appended["$push"]
            update["$set"].update(appended["$set"])
        written = await self.collection.update_one(
            {"_id": delivery.id, "fence": delivery.fence}, update
        )
        if not written:
            return None
        CHANGED.labels(delivery.outlet, changed.state.value).inc()
        if event is not None:
            self._wake_relay(self.collection.name, delivery.id)
        return changed

    async def _wake_thread(self, delivery: Delivery) -> None:
        """Later operations of the thread need not wait for their next look."""
        await self.collection.update_many(
            {
                "thread": delivery.thread,
                "revision": {"$gte": delivery.revision},
                "state": DeliveryState.PLANNED.value,
            },
            {"$set": {"due_at": self._clock.now()}},
        )
