"""The newest snapshot of each article that a consuming service holds, and whether it is fully applied.

An older revision never replaces a newer one; applying the same revision again is allowed, because a
crash may have come between holding it and finishing what it asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.articles import Article
from shared.contracts.events import Outgoing
from shared.storage.client import Collection, Document
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry


@dataclass(frozen=True)
class Held:
    """What this service knows of one article."""

    article: Article
    acted_at: datetime
    traceparent: str | None
    applied_revision: int
    """0 until the first snapshot is applied."""
    extra: Document
    """What the service itself has put beside the snapshot."""


class HeldArticles:
    """One document per article, `_id` the article's id."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    async def declare(self) -> None:
        await declare_outbox(self.collection)

    async def hold(
        self,
        article: Article,
        *,
        acted_at: datetime,
        traceparent: str | None,
        extra: Document | None = None,
    ) -> Held | None:
        """Keep the snapshot unless a newer one is held; None says that it is stale."""
        unless_newer = {"_id": article.id, "revision": {"$lte": article.revision}}
        change = {
            "$set": {
                "revision": article.revision,
                "article": article.model_dump(mode="python"),
                "acted_at": acted_at,
                "trace": traceparent,
                **{f"extra.{key}": value for key, value in (extra or {}).items()},
            },
            "$setOnInsert": {"applied_revision": 0},
        }
        try:
            document = await self.collection.find_one_and_update(
                unless_newer, change, upsert=True, projection={"outbox": 0}
            )
        except Duplicate:
            # A newer revision is there, or an older one was inserted in this very instant: ask again.
            document = await self.collection.find_one_and_update(
                unless_newer, change, projection={"outbox": 0}
            )
        return _held(document) if document else None

    async def applied(
        self, article: Article, report: Outgoing, at: datetime, extra: Document | None = None
    ) -> None:
        """Record that everything the revision asks for is done or planned, and report it."""
        change: dict[str, Any] = append(entry(report, at))
        change["$max"] = {"applied_revision": article.revision}
        change["$set"].update({f"extra.{key}": value for key, value in (extra or {}).items()})
        await self.collection.update_one({"_id": article.id}, change)

    async def get(self, article_id: str) -> Held | None:
        document = await self.collection.find_one({"_id": article_id}, {"outbox": 0})
        return _held(document) if document else None


def _held(document: Document) -> Held:
    return Held(
        article=Article.read(document["article"]),
        acted_at=document["acted_at"],
        traceparent=document.get("trace"),
        applied_revision=document.get("applied_revision", 0),
        extra=document.get("extra") or {},
    )
