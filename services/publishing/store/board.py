"""The fan-out board in MongoDB: one line per delivery; of two reports of one line the newer wins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.outlets import DeliveryState, OutletLine, OutletReported
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

FINAL = [state.value for state in DeliveryState if state.final]


@dataclass(frozen=True)
class BoardLine:
    """A line as the board has it."""

    line: OutletLine
    service: str
    changed_at: datetime


class BoardStore:
    """The `fanout` collection, and who still owes a report, kept on the article itself."""

    def __init__(self, database: Database) -> None:
        self._lines: Collection = database["fanout"]
        self._articles: Collection = database["articles"]

    async def declare(self) -> None:
        await self._lines.create_index([("article_id", 1), ("changed_at", 1)])

    async def take(self, report: OutletReported, now: datetime) -> None:
        """Bring the board up to one report; the same report again changes nothing."""
        await asyncio.gather(*(self._upsert(report, line, now) for line in report.lines))
        if not report.partial:
            # The lines first: a report cut off between the two must not count as complete.
            await self._articles.update_one(
                {
                    "_id": report.article_id,
                    "awaiting": report.service,
                    "live.revision": {"$lte": report.revision},
                },
                {"$pull": {"awaiting": report.service}},
            )

    async def _upsert(self, report: OutletReported, line: OutletLine, now: datetime) -> None:
        unless_newer = {"_id": line.delivery, "sequence": {"$lt": line.sequence}}
        change = {
            "$set": {
                **line.model_dump(exclude={"delivery"}),
                "article_id": report.article_id,
                "service": report.service,
                "changed_at": now,
            }
        }
        try:
            await self._lines.update_one(unless_newer, change, upsert=True)
        except Duplicate:
            # This sequence or a newer one is there, or an older was inserted in this very instant.
            await self._lines.update_one(unless_newer, change)

    async def lines(self, article_id: str, since: datetime | None = None) -> Sequence[BoardLine]:
        """The article's lines changed at or after `since`, in order of change."""
        query: Document = {"article_id": article_id}
        if since:
            query["changed_at"] = {"$gte": since}
        found = await self._lines.find(query, sort=[("changed_at", 1), ("_id", 1)])
        return [
            BoardLine(
                OutletLine.read({**one, "delivery": one["_id"]}), one["service"], one["changed_at"]
            )
            for one in found
        ]

    async def unfinished(self, article_id: str) -> list[str]:
        """Outlets where something is still to happen or in doubt."""
        found = await self._lines.find(
            {"article_id": article_id, "state": {"$nin": FINAL}}, {"outlet": 1}, sort=[("_id", 1)]
        )
        return [one["outlet"] for one in found]

    async def awaiting(self, article_id: str) -> list[str] | None:
        """Services that have not reported the live revision; None for an unknown article."""
        found = await self._articles.find_one({"_id": article_id}, {"awaiting": 1})
        return None if found is None else list(found["awaiting"])

    async def watch(self, article_id: str, repair_at: datetime) -> None:
        """Something is owed: have the repair loop look at `repair_at` unless it will look already."""
        await self._articles.update_one(
            {"_id": article_id, "live": {"$ne": None}, "repair_at": {"$exists": False}},
            {"$set": {"repair_at": repair_at, "repair_count": 0}},
        )

    async def settle(self, article_id: str) -> None:
        """Nothing is owed: take the article out of the repair loop's index."""
        await self._articles.update_one(
            {"_id": article_id, "awaiting": []}, {"$unset": {"repair_at": 1, "repair_count": 1}}
        )
