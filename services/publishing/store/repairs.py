"""Which public articles are due for repair, and the one update that announces one of them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.articles import Article, ArticleEvent
from shared.contracts.events import EVENT_TYPES, Outgoing
from shared.storage.client import Collection, Database, Document
from shared.storage.outbox import append, entry

NEEDED = {"live": 1, "announced": 1, "awaiting": 1, "repair_at": 1, "repair_count": 1}


@dataclass(frozen=True)
class Due:
    """An article that some service may not have heard of."""

    id: str
    announcement: ArticleEvent
    """What was last announced, word for word, with the time of the act."""
    awaiting: tuple[str, ...]
    repair_at: datetime
    count: int
    """Repairs so far."""


class RepairStore:
    """The repair fields of the `articles` collection."""

    def __init__(self, database: Database) -> None:
        self._articles: Collection = database["articles"]

    async def due(self, now: datetime, limit: int) -> list[Due]:
        """Oldest first. An event that still waits in its outbox needs no second one beside it."""
        found = await self._articles.find(
            {"repair_at": {"$lte": now}, "outbox_pending": {"$ne": True}},
            NEEDED,
            sort=[("repair_at", 1)],
            limit=limit,
        )
        return [_due(document) for document in found]

    async def repeat(
        self, due: Due, events: list[Outgoing], now: datetime, next_at: datetime
    ) -> bool:
        """Announce again; False when another replica or a newer act was first."""
        update = append(*(entry(event, now) for event in events))
        update["$set"] |= {"repair_at": next_at, "repair_count": due.count + 1}
        return await self._articles.update_one(_unchanged(due), update)

    async def settle(self, due: Due) -> None:
        await self._articles.update_one(
            _unchanged(due), {"$unset": {"repair_at": 1, "repair_count": 1}}
        )


def _unchanged(due: Due) -> Document:
    return {
        "_id": due.id,
        "repair_at": due.repair_at,
        "live.revision": due.announcement.article.revision,
    }


def _due(document: Document) -> Due:
    announced = dict(document["announced"])
    kind = EVENT_TYPES[announced.pop("type")]
    data = kind.read({"article": Article.read(document["live"]), **announced})
    return Due(
        document["_id"],
        data,
        tuple(document["awaiting"]),
        document["repair_at"],
        document["repair_count"],
    )
