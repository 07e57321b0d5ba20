"""Who may be written to. Never makes a subscriber of somebody who did not say so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notifications.domain.subscribers import Standing, Subscriber
from shared.runtime.clock import Clock
from shared.runtime.ids import NewId, new_id
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

FORGET_DAYS = 30
"""An address whose owner never confirmed is forgotten after this."""


class Subscribers:
    """Subscribers, `_id` a UUIDv7."""

    def __init__(self, database: Database, clock: Clock, make_id: NewId = new_id) -> None:
        self._collection: Collection = database["subscribers"]
        self._clock = clock
        self._make_id = make_id

    async def declare(self) -> None:
        await self._collection.create_index([("email", 1)], name="email", unique=True)
        await self._collection.create_index([("lists", 1), ("status", 1), ("_id", 1)], name="lists")
        await self._collection.create_index([("forget_at", 1)], name="forget", expireAfterSeconds=0)

    async def ask(self, email: str, lists: Sequence[str], language: str) -> Subscriber:
        """Note that this address wants these lists; who is confirmed or has left stays so."""
        now = self._clock.now()
        wanted = {"lists": list(lists)}
        try:
            found = await self._collection.find_one_and_update(
                {"email": email, "status": Standing.PENDING.value},
                {
                    "$setOnInsert": {
                        "_id": self._make_id(),
                        "language": language,
                        "created_at": now,
                        "consent": {},
                    },
                    "$set": {**wanted, "forget_at": now + timedelta(days=FORGET_DAYS)},
                },
                upsert=True,
            )
        except Duplicate:
            # The address is known: confirmed, gone, or entered by another request this instant.
            found = await self._collection.find_one_and_update(
                {"email": email, "status": Standing.UNSUBSCRIBED.value}, {"$set": wanted}
            ) or await self._collection.find_one({"email": email})
        if found is None:  # deleted between the two calls
            return await self.ask(email, lists, language)
        return _subscriber(found)

    async def confirm(self, subscriber_id: str, issued_at: datetime) -> bool:
        """The owner said yes to a link made at `issued_at`; False when that link no longer holds."""
        now = self._clock.now()
        await self._collection.update_one(
            {
                "_id": subscriber_id,
                "status": {"$ne": Standing.CONFIRMED.value},
                # A link that is older than the goodbye must not undo it.
                "$or": [
                    {"unsubscribed_at": {"$exists": False}},
                    {"unsubscribed_at": {"$lt": issued_at}},
                ],
            },
            {
                "$set": {
                    "status": Standing.CONFIRMED.value,
                    "confirmed_at": now,
                    "consent": {"how": "double opt-in", "asked_at": issued_at, "at": now},
                },
                "$unset": {"forget_at": "", "unsubscribed_at": ""},
            },
        )
        found = await self.get(subscriber_id)
        return found is not None and found.status is Standing.CONFIRMED

    async def bring_in(
        self, email: str, lists: Sequence[str], language: str, consent: str, who: str
    ) -> Subscriber | None:
        """Enter a consent given elsewhere; None where the address is confirmed or has left."""
        now = self._clock.now()
        try:
            document = await self._collection.find_one_and_update(
                {"email": email, "status": Standing.PENDING.value},
                {
                    "$setOnInsert": {"_id": self._make_id(), "created_at": now},
                    "$set": {
                        "status": Standing.CONFIRMED.value,
                        "lists": list(lists),
                        "language": language,
                        "confirmed_at": now,
                        "consent": {"how": consent, "entered_by": who, "at": now},
                    },
                    "$unset": {"forget_at": ""},
                },
                upsert=True,
            )
        except Duplicate:
            return None
        return _subscriber(document) if document else None

    async def leave(self, subscriber_id: str, list_name: str) -> None:
        """Take a person off one list; without any list left they are unsubscribed. Idempotent."""
        remaining = {"$setDifference": ["$lists", [list_name]]}
        gone = {"$eq": ["$lists", []]}
        await self._collection.update_one(
            {"_id": subscriber_id, "lists": list_name},
            [
                {"$set": {"lists": remaining}},
                {
                    "$set": {
                        "status": {"$cond": [gone, Standing.UNSUBSCRIBED.value, "$status"]},
                        "unsubscribed_at": {"$cond": [gone, self._clock.now(), "$$REMOVE"]},
                        # Kept, so that nobody else can sign the person up again.
                        "forget_at": {"$cond": [gone, "$$REMOVE", "$forget_at"]},
                    }
                },
            ],
        )

    async def get(self, subscriber_id: str) -> Subscriber | None:
        found = await self._collection.find_one({"_id": subscriber_id})
        return _subscriber(found) if found else None

    async def by_email(self, email: str) -> Subscriber | None:
        found = await self._collection.find_one({"email": email})
        return _subscriber(found) if found else None

    async def audience(self, list_name: str, confirmed_by: datetime) -> AsyncIterator[str]:
        """Ids of everybody on the list who had confirmed by then."""
        async for document in self._collection.scan(_audience(list_name, confirmed_by), {"_id": 1}):
            yield document["_id"]

    async def count(self, list_name: str, confirmed_by: datetime) -> int:
        """How many ids `audience` would give."""
        return await self._collection.count(_audience(list_name, confirmed_by))

    async def page(
        self, status: Standing | None, *, after: str | None, limit: int
    ) -> list[Subscriber]:
        """Newest first, starting below the id `after`."""
        query: dict[str, Any] = {"status": status.value} if status else {}
        if after:
            query["_id"] = {"$lt": after}
        found = await self._collection.find(query, sort=[("_id", -1)], limit=limit)
        return [_subscriber(document) for document in found]

    async def remove(self, subscriber_id: str) -> bool:
        """Forget the person; False when there was none."""
        return await self._collection.delete_one({"_id": subscriber_id})


def _audience(list_name: str, confirmed_by: datetime) -> Document:
    return {
        "lists": list_name,
        "status": Standing.CONFIRMED.value,
        "confirmed_at": {"$lte": confirmed_by},
    }


def _subscriber(document: Document) -> Subscriber:
    return Subscriber(
        id=document["_id"],
        email=document["email"],
        status=Standing(document["status"]),
        lists=tuple(document["lists"]),
        language=document["language"],
        created_at=document["created_at"],
        confirmed_at=document.get("confirmed_at"),
        unsubscribed_at=document.get("unsubscribed_at"),
        consent=document.get("consent") or {},
    )
