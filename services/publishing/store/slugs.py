"""Slugs in MongoDB: one document each, so that no two articles ever share a public address."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

ABANDONED_AFTER = timedelta(seconds=60)
"""A reservation this old that its article does not use was left by a crash or a lost race."""


class SlugStore:
    """The `slugs` collection: `_id` the slug, `ever_public` once readers may hold it."""

    def __init__(self, database: Database) -> None:
        self._slugs: Collection = database["slugs"]
        self._articles: Collection = database["articles"]

    async def reserve(self, slug: str, article_id: str, now: datetime) -> bool:
        """Whether the slug is this article's now."""
        try:
            await self._slugs.insert_one(
                {"_id": slug, "article_id": article_id, "reserved_at": now, "ever_public": False}
            )
        except Duplicate:
            return await self._take(slug, article_id, now)
        return True

    async def available(self, slug: str, article_id: str, now: datetime) -> bool:
        """Whether `reserve` would give it to this article now; takes nothing."""
        holder = await self._slugs.find_one({"_id": slug})
        if holder is None or holder["article_id"] == article_id:
            return True
        return not holder["ever_public"] and await self._abandoned(holder, now)

    async def _take(self, slug: str, article_id: str, now: datetime) -> bool:
        holder = await self._slugs.find_one({"_id": slug})
        if holder is None:
            return False  # freed this instant; the caller's next candidate or retry will do
        if holder["article_id"] == article_id:
            return True
        if not await self._abandoned(holder, now):
            return False
        return await self._slugs.update_one(
            {"_id": slug, "article_id": holder["article_id"], "ever_public": False},
            {"$set": {"article_id": article_id, "reserved_at": now}},
        )

    async def _abandoned(self, holder: Document, now: datetime) -> bool:
        """Whether the slug's holder does not use it, and has had the time to."""
        if now - holder["reserved_at"] < ABANDONED_AFTER:
            return False
        slug = holder["_id"]
        owner = {
            "_id": holder["article_id"],
            "$or": [
                {"slug": slug},
                {"live.slug": slug},
                {"redirects": slug},
                {"former_paths": slug},
            ],
        }
        return await self._articles.find_one(owner, {"_id": 1}) is None

    async def keep(self, slug: str, article_id: str, now: datetime) -> None:
        """It has been public: it stays this article's for ever."""
        await self._slugs.update_one(
            {"_id": slug},
            {
                "$set": {"ever_public": True, "article_id": article_id},
                "$setOnInsert": {"reserved_at": now},
            },
            upsert=True,
        )

    async def free(self, slug: str, article_id: str) -> None:
        """Give up a slug that was never public."""
        await self._slugs.delete_one({"_id": slug, "article_id": article_id, "ever_public": False})
