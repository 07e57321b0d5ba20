"""How much may still be read for one account: its ceiling of a day, and the rest a network asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.runtime.clock import Clock
from shared.storage.client import Collection, Database
from shared.storage.errors import Duplicate


@dataclass(frozen=True)
class Allowance:
    """Where one account stands. `used` are the posts that were asked for since midnight UTC."""

    used: int = 0
    resume_at: datetime | None = None


class Allowances:
    """One document per account, shared by all replicas. Apart from the account: reading stops no post."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._collection: Collection = database["reading_allowances"]
        self._clock = clock

    async def of(self, account_id: str) -> Allowance:
        found = await self._collection.find_one({"_id": account_id}) or {}
        used = found.get("used", 0) if found.get("day") == self._today() else 0
        return Allowance(used, found.get("resume_at"))

    async def take(self, account_id: str, posts: int, ceiling: int) -> bool:
        """Count `posts` as asked for, unless that passes the ceiling; all or none of them."""
        if posts > ceiling:
            return False
        today = self._today()
        room = {"$or": [{"day": {"$ne": today}}, {"used": {"$lte": ceiling - posts}}]}
        used = {"$cond": [{"$eq": ["$day", today]}, {"$add": ["$used", posts]}, posts]}
        try:
            return await self._collection.update_one(
                {"_id": account_id, **room}, [{"$set": {"day": today, "used": used}}], upsert=True
            )
        except Duplicate:
            return False

    async def rest(self, account_id: str, until: datetime) -> None:
        """Read nothing of this account before `until`; a longer rest stays."""
        try:
            await self._collection.update_one(
                {"_id": account_id}, {"$max": {"resume_at": until}}, upsert=True
            )
        except Duplicate:  # another replica entered the account in this instant
            await self._collection.update_one({"_id": account_id}, {"$max": {"resume_at": until}})

    async def refused(self, account_id: str, reason: str) -> bool:
        """These credentials may not read counts; False when that was known."""
        return await self._collection.update_one(
            {"_id": account_id, "refused": {"$ne": reason}}, {"$set": {"refused": reason}}
        )

    async def allowed(self, account_id: str) -> None:
        """A reading succeeded."""
        await self._collection.update_one(
            {"_id": account_id, "refused": {"$exists": True}}, {"$unset": {"refused": ""}}
        )

    def _today(self) -> str:
        return self._clock.now().date().isoformat()
