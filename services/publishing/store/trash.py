"""Deleted drafts for thirty days, in a collection of their own, so that no list has to leave them out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

from services.publishing.domain.article import WorkingCopy
from services.publishing.store.documents import from_document, to_document
from services.publishing.usecases.ports import ActRecord, Kept
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

KEPT = timedelta(days=30)


class TrashStore:
    """The `trash` collection."""

    def __init__(self, database: Database) -> None:
        self._trash: Collection = database["trash"]

    async def declare(self) -> None:
        await self._trash.create_index([("expires_at", 1)], name="ttl", expireAfterSeconds=0)
        await self._trash.create_index(
            [("unrecorded_at", 1)],
            name="unrecorded_at",
            partialFilterExpression={"unrecorded_at": {"$exists": True}},
        )

    async def put(self, copy: WorkingCopy, record: ActRecord) -> None:
        """Keep a draft that is about to be deleted, with the act whose audit line is owed."""
        document = {
            **to_document(copy),
            "act": asdict(record),
            "unrecorded_at": record.at,
            "expires_at": record.at + KEPT,
        }
        # A newer one that somebody else is deleting stays: this deletion will find it gone.
        older = {"_id": copy.id, "revision": {"$lte": copy.revision}}
        with suppress(Duplicate):
            await self._trash.update_one(older, {"$set": document}, upsert=True)

    async def get(self, article_id: str) -> Kept | None:
        document = await self._trash.find_one({"_id": article_id})
        return from_document(document) if document else None

    async def remove(self, article_id: str) -> bool:
        return await self._trash.delete_one({"_id": article_id})

    async def withdraw(self, deleted: Kept) -> None:
        query: Document = {"_id": deleted.copy.id, "revision": deleted.copy.revision}
        if deleted.unrecorded:
            query["unrecorded_at"] = deleted.unrecorded.at
        await self._trash.delete_one(query)

    async def recorded(self, article_id: str) -> None:
        await self._trash.update_one({"_id": article_id}, {"$unset": {"unrecorded_at": 1}})

    async def unrecorded(self, before: datetime, limit: int) -> list[Kept]:
        """Deletions that a crash cut short, before or after the draft itself was gone."""
        found = await self._trash.find({"unrecorded_at": {"$lte": before}}, limit=limit)
        return [from_document(document) for document in found]

    async def page(self, after: str | None, limit: int) -> Sequence[Document]:
        """What can be taken out again, newest article first."""
        query: Document = {"_id": {"$lt": after}} if after else {}
        found = await self._trash.find(
            query,
            {"content.headline": 1, "slug": 1, "created_by": 1, "act": 1, "expires_at": 1},
            sort=[("_id", -1)],
            limit=limit,
        )
        return [
            {
                "id": one["_id"],
                "headline": one["content"]["headline"],
                "slug": one["slug"],
                "created_by": one["created_by"],
                "deleted_at": one["act"]["at"],
                "deleted_by": one["act"]["by"],
                "deleted_by_name": one["act"]["by_name"],
                "expires_at": one["expires_at"],
            }
            for one in found
        ]
