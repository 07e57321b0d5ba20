"""Reading the ledger: one delivery, an article's, a thread's, a page, and when the next falls due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.delivery.model import EVERY_LANE, Delivery, Document, Lanes, from_document
from shared.storage.client import Collection


class LedgerReads:
    """The half of the ledger that changes nothing."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    async def get(self, delivery_id: str) -> Delivery | None:
        document = await self.collection.find_one({"_id": delivery_id}, {"outbox": 0})
        return from_document(document) if document else None

    async def of_article(self, article_id: str) -> list[Delivery]:
        """All deliveries of one article in order of revision, and of the steps of one change."""
        order = [("revision", 1), ("step", 1), ("_id", 1)]
        found = await self.collection.find({"article_id": article_id}, {"outbox": 0}, sort=order)
        return [from_document(document) for document in found]

    async def neighbours(self, delivery: Delivery) -> tuple[list[Delivery], list[Delivery]]:
        """Operations of the same thread that come before this one and after it, oldest first."""
        found = await self.collection.find(
            {"thread": delivery.thread}, {"outbox": 0}, sort=[("revision", 1), ("step", 1)]
        )
        thread = [from_document(document) for document in found]
        return (
            [one for one in thread if one.place < delivery.place],
            [one for one in thread if one.place > delivery.place],
        )

    async def page(self, query: Document, *, after: str | None, limit: int) -> list[Delivery]:
        """Deliveries matching `query`, newest id first, starting below `after`."""
        full = {**query, "_id": {"$lt": after}} if after else query
        found = await self.collection.find(full, {"outbox": 0}, sort=[("_id", -1)], limit=limit)
        return [from_document(document) for document in found]

    async def next_due(self, lanes: Lanes = EVERY_LANE) -> datetime | None:
        """When the earliest delivery falls due, for a worker that would sleep until then."""
        earliest: datetime | None = None
        for priority, skipped in lanes.items():
            query: dict[str, Any] = {"priority": priority, "due_at": {"$exists": True}}
            if skipped:
                query["outlet"] = {"$nin": sorted(skipped)}
            found = await self.collection.find(query, {"due_at": 1}, sort=[("due_at", 1)], limit=1)
            if found and (earliest is None or found[0]["due_at"] < earliest):
                earliest = found[0]["due_at"]
        return earliest
