"""What is known of the reaction to each post, and when it is read next. A lease lets one replica read it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.social.channels import discover
from services.social.domain.decay import next_reading
from shared.contracts.events import Outgoing
from shared.contracts.outlets import Counts
from shared.delivery.model import Delivery
from shared.runtime.clock import Clock
from shared.runtime.ids import new_id
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry

LEASE = timedelta(minutes=5)
"""Longer than the reading of one batch; a read that is done twice after a crash harms nobody."""


@dataclass(frozen=True)
class Reading:
    """The reaction to one post: what was counted, and what is to come."""

    id: str
    """The delivery that made the post."""
    article_id: str
    outlet: str
    revision: int
    acted_at: datetime
    holder: str | None = None
    """The token of whoever reads it now; writes with an old one do nothing."""
    due_at: datetime | None = None
    """None once it is not read any more."""
    counts: Counts = field(default_factory=Counts)
    counted_at: datetime | None = None
    missing_since: datetime | None = None
    """The network said once that there is no such post."""
    ended: str | None = None
    """Why it is not read any more."""


class Readings:
    """One document per post, `_id` that of its delivery."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.collection: Collection = database["readings"]
        self._clock = clock

    async def declare(self) -> None:
        await self.collection.create_index(
            [("outlet", 1), ("due_at", 1)],
            name="due",
            partialFilterExpression={"due_at": {"$exists": True}},
        )
        await self.collection.create_index([("article_id", 1)], name="article")
        await declare_outbox(self.collection)

    async def enrol(self, posts: Sequence[Delivery]) -> None:
        """Watch these posts of one article from now on; those that are watched already stay as they are."""
        now = self._clock.now()
        young = [
            (post, due_at)
            for post in posts
            if counting(post.outlet) and (due_at := next_reading(post.id, post.acted_at, now))
        ]
        if not young:
            return
        ids = [post.id for post, _ in young]
        known = {
            one["_id"] for one in await self.collection.find({"_id": {"$in": ids}}, {"_id": 1})
        }
        await asyncio.gather(
            *(self._add(post, due_at) for post, due_at in young if post.id not in known)
        )

    async def _add(self, post: Delivery, due_at: datetime) -> None:
        try:
            await self.collection.insert_one(
                {
                    "_id": post.id,
                    "article_id": post.article_id,
                    "outlet": post.outlet,
                    "revision": post.revision,
                    "acted_at": post.acted_at,
                    "due_at": due_at,
                }
            )
        except Duplicate:
            return  # another replica takes the same event in

    async def due(self, outlet: str) -> bool:
        """Whether anything of this account is to be read now."""
        found = await self.collection.find_one(
            {"outlet": outlet, "due_at": {"$lte": self._clock.now()}}, {"_id": 1}
        )
        return found is not None

    async def claim(self, outlet: str, limit: int) -> list[Reading]:
        """Take up to `limit` that are due, the longest waiting first; nobody else gets them meanwhile."""
        now, holder = self._clock.now(), new_id()
        is_due = {"outlet": outlet, "due_at": {"$lte": now}}
        found = await self.collection.find(is_due, {"_id": 1}, sort=[("due_at", 1)], limit=limit)
        ids = [one["_id"] for one in found]
        if not ids:
            return []
        taken = {"$set": {"holder": holder, "due_at": now + LEASE}}
        await self.collection.update_many({**is_due, "_id": {"$in": ids}}, taken)
        mine = {"_id": {"$in": ids}, "holder": holder}
        return [reading_from(one) for one in await self.collection.find(mine, {"outbox": 0})]

    async def counted(
        self, reading: Reading, counts: Counts, due_at: datetime | None, report: Outgoing
    ) -> bool:
        """The network told it. False when another reads it by now."""
        fields = {
            "counts": counts.model_dump(exclude_none=True),
            "counted_at": self._clock.now(),
            **_then(due_at),
        }
        return await self._write(reading, fields, ("missing_since",), report)

    async def missing(self, reading: Reading, again_at: datetime) -> bool:
        """The network has no such post: ask once more before anybody is alarmed."""
        fields = {"missing_since": self._clock.now(), "due_at": again_at}
        return await self._write(reading, fields)

    async def gone(self, reading: Reading, *events: Outgoing) -> bool:
        """It is gone for certain; this is the last of it."""
        return await self._write(reading, {"ended": "no longer there"}, (), *events)

    async def later(self, reading: Reading, due_at: datetime | None) -> bool:
        """Nothing was told this time; the next step comes at `due_at`, or there is none."""
        return await self._write(reading, _then(due_at))

    async def put_back(self, readings: Sequence[Reading], due_at: datetime) -> None:
        """The same step is due again at `due_at`."""
        for reading in readings:
            await self._write(reading, {"due_at": due_at})

    async def over(self, reading: Reading, reason: str) -> bool:
        return await self._write(reading, {"ended": reason})

    async def of_article(self, article_id: str) -> list[Reading]:
        found = await self.collection.find(
            {"article_id": article_id}, {"outbox": 0}, sort=[("_id", 1)]
        )
        return [reading_from(one) for one in found]

    async def _write(
        self,
        reading: Reading,
        fields: Document,
        unset: Sequence[str] = (),
        *events: Outgoing,
    ) -> bool:
        ended = () if "due_at" in fields else ("due_at",)
        update: dict[str, Any] = {
            "$set": fields,
            "$unset": dict.fromkeys(("holder", *unset, *ended), ""),
        }
        if events:
            appended = append(*(entry(event, self._clock.now()) for event in events))
            update["$push"] = appended["$push"]
            update["$set"] = fields | appended["$set"]
        held = {"_id": reading.id, "holder": reading.holder}
        return await self.collection.update_one(held, update)


def counting(outlet: str) -> bool:
    """Whether the network of this outlet tells how posts are doing."""
    spec = discover().get(outlet.split("/")[1])
    return spec is not None and spec.capabilities.counts


def _then(due_at: datetime | None) -> Document:
    return {"ended": "old enough"} if due_at is None else {"due_at": due_at}


def reading_from(document: Document) -> Reading:
    """The stored form, back as a `Reading`."""
    return Reading(
        id=document["_id"],
        article_id=document["article_id"],
        outlet=document["outlet"],
        revision=document["revision"],
        acted_at=document["acted_at"],
        holder=document.get("holder"),
        due_at=document.get("due_at"),
        counts=Counts(**document.get("counts") or {}),
        counted_at=document.get("counted_at"),
        missing_since=document.get("missing_since"),
        ended=document.get("ended"),
    )
