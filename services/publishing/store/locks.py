"""Edit locks in MongoDB: one document for each article, and one winner among those who ask at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.publishing.domain.locks import LIFETIME, Holder, Lock, TakeOver
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

CLEANED_AFTER_SECONDS = 7 * 24 * 3600
"""Whether a lock is over is asked of our clock, in the query; this only clears away old ones."""


class LockStore:
    """The `locks` collection."""

    def __init__(self, database: Database) -> None:
        self._locks: Collection = database["locks"]

    async def declare(self) -> None:
        await self._locks.create_index(
            [("expires_at", 1)], name="ttl", expireAfterSeconds=CLEANED_AFTER_SECONDS
        )

    async def take(
        self, article_id: str, holder: Holder, now: datetime, take_over: str | None
    ) -> Lock | None:
        query: Document = {"_id": article_id}
        if take_over is None:
            query["$or"] = [{"expires_at": {"$lte": now}}, _is("holder", holder)]
            query["$nor"] = [_is("take_over.loser", holder)]
        try:
            document = await self._locks.find_one_and_update(
                query, [{"$set": _taken(holder, now, take_over)}], upsert=True
            )
        except Duplicate:
            return None  # there is one, and the query would not have it
        return _lock(document) if document else None

    async def get(self, article_id: str) -> Lock | None:
        document = await self._locks.find_one({"_id": article_id})
        return _lock(document) if document else None

    async def told(self, article_id: str, loser: Holder) -> None:
        await self._locks.update_one(
            {"_id": article_id, **_is("take_over.loser", loser)}, {"$set": {"take_over": None}}
        )

    async def release(self, article_id: str, holder: Holder, now: datetime) -> None:
        # Not deleted: whoever lost it to this holder may still have to be told.
        await self._locks.update_one(
            {"_id": article_id, **_is("holder", holder), "expires_at": {"$gt": now}},
            {"$set": {"expires_at": now}},
        )


def _is(field: str, holder: Holder) -> Document:
    return {f"{field}.person": holder.person, f"{field}.session": holder.session}


def _taken(holder: Holder, now: datetime, take_over: str | None) -> Document:
    """The fields of a lock that `holder` has from `now`, by what was there before (a pipeline's `$set`)."""
    live = {"$gt": ["$expires_at", now]}
    own = _same("$holder", holder)
    taking: Document = {
        "id": take_over,
        "loser": "$holder",
        "since": "$since",
        "by": {"$literal": holder.person},
        "by_name": {"$literal": holder.name},
        "at": now,
    }
    knows = _same("$take_over.loser", holder)
    return {
        "take_over": {
            "$switch": {
                "branches": [
                    {"case": {"$and": [live, {"$not": [own]}]}, "then": taking},
                    {"case": knows, "then": None},
                ],
                "default": {"$ifNull": ["$take_over", None]},
            }
        },
        "since": {"$cond": [{"$and": [live, own]}, "$since", now]},
        "holder": {"$literal": vars(holder)},
        "expires_at": now + LIFETIME,
    }


def _same(field: str, holder: Holder) -> Document:
    pairs: dict[str, Any] = {"person": holder.person, "session": holder.session}
    return {
        "$and": [{"$eq": [f"{field}.{name}", {"$literal": is_}]} for name, is_ in pairs.items()]
    }


def _lock(document: Document) -> Lock:
    taken = document["take_over"]
    return Lock(
        Holder(**document["holder"]),
        document["since"],
        document["expires_at"],
        TakeOver(**{**taken, "loser": Holder(**taken["loser"])}) if taken else None,
    )
