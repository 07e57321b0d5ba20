"""How posts are doing, as their services reported it: one document per post; the later reading is the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shared.contracts.outlets import Counts, OutletFigures, OutletReported
from shared.storage.client import Collection, Database
from shared.storage.errors import Duplicate


class FigureStore:
    """The `figures` collection. Apart from the board's lines: a figure may come before its line, or long after."""

    def __init__(self, database: Database) -> None:
        self._figures: Collection = database["figures"]

    async def declare(self) -> None:
        await self._figures.create_index([("article_id", 1), ("_id", 1)], name="article")

    async def take(self, report: OutletReported) -> None:
        """Keep what is newer than what is here; the same report again changes nothing."""
        await asyncio.gather(*(self._upsert(report.article_id, one) for one in report.figures))

    async def _upsert(self, article_id: str, figures: OutletFigures) -> None:
        unless_newer = {"_id": figures.delivery, "at": {"$lt": figures.at}}
        change = {
            "$set": {
                "article_id": article_id,
                "outlet": figures.outlet,
                "at": figures.at,
                "gone": figures.gone,
                "counts": figures.counts.model_dump(exclude_none=True),
            }
        }
        try:
            await self._figures.update_one(unless_newer, change, upsert=True)
        except Duplicate:
            # This reading or a later one is there, or an earlier was inserted in this very instant.
            await self._figures.update_one(unless_newer, change)

    async def of_article(self, article_id: str) -> Sequence[OutletFigures]:
        found = await self._figures.find({"article_id": article_id}, sort=[("_id", 1)])
        return [
            OutletFigures(
                outlet=one["outlet"],
                delivery=one["_id"],
                at=one["at"],
                gone=one["gone"],
                counts=Counts(**one["counts"]),
            )
            for one in found
        ]
