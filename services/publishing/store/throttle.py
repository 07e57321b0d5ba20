"""Counts of failed sign-ins in MongoDB, and the places people signed in from. All of it ends by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from services.publishing.domain.throttle import EMAIL, KNOWN, PAIR, PLACE, Attempt, Limit
from shared.runtime.ids import new_id
from shared.storage.client import Collection, Database, Document


class ThrottleStore:
    """The `signins` collection, one document for each thing that is counted, and `signin_places`."""

    def __init__(self, database: Database) -> None:
        self._attempts: Collection = database["signins"]
        self._places: Collection = database["signin_places"]

    async def declare(self) -> None:
        for collection in (self._attempts, self._places):
            await collection.create_index([("expires_at", 1)], name="ttl", expireAfterSeconds=0)

    async def begin(self, email: str, place: str, now: datetime) -> Attempt:
        """Count an attempt; its `wait` is the seconds until one may be made, 0 for this one.

        It is counted before the password is looked at: a burst of attempts side by side gets no
        more tries than one after the other.
        """
        attempt = Attempt(new_id(), email, place)
        known = await self._places.find_one({"_id": _pair(attempt), "expires_at": {"$gt": now}})
        for key, limit in _counted(attempt, known=known is not None):
            wait = await self._count(key, limit, attempt.id, now)
            if wait:
                await self.take_back(attempt)
                return replace(attempt, wait=wait)
        return attempt

    async def take_back(self, attempt: Attempt) -> None:
        for key, _ in _counted(attempt, known=False):
            await self._attempts.update_one(
                {"_id": key}, {"$pull": {"attempts": {"id": attempt.id}}}
            )

    async def succeeded(self, attempt: Attempt, now: datetime) -> None:
        """Only the pair's failures are forgotten: the others may be somebody else's."""
        await self.take_back(attempt)
        await self._attempts.delete_one({"_id": _pair(attempt)})
        await self._places.update_one(
            {"_id": _pair(attempt)}, {"$set": {"expires_at": now + KNOWN}}, upsert=True
        )

    async def _count(self, key: str, limit: Limit, attempt: str, now: datetime) -> int:
        recent = {
            "$filter": {
                "input": {"$ifNull": ["$attempts", []]},
                "cond": {"$gt": ["$$this.at", now - limit.window]},
            }
        }
        one_more = {"$concatArrays": ["$attempts", [{"id": {"$literal": attempt}, "at": now}]]}
        room = {"$lt": [{"$size": "$attempts"}, limit.tries]}
        document = await self._attempts.find_one_and_update(
            {"_id": key},
            [
                {"$set": {"attempts": recent, "expires_at": now + limit.window}},
                {"$set": {"attempts": {"$cond": [room, one_more, "$attempts"]}}},
            ],
            upsert=True,
        )
        attempts: list[Document] = (document or {}).get("attempts", [])
        if any(one["id"] == attempt for one in attempts):
            return 0
        oldest: datetime = min(one["at"] for one in attempts)
        return max(1, math.ceil((oldest + limit.window - now).total_seconds()))


def _counted(attempt: Attempt, *, known: bool) -> Iterator[tuple[str, Limit]]:
    yield _pair(attempt), PAIR
    yield f"place {attempt.place}", PLACE
    if not known:
        yield f"email {attempt.email}", EMAIL


def _pair(attempt: Attempt) -> str:
    return f"pair {attempt.place} {attempt.email}"
