"""Lists for the editors' desk: filtered pages and the calendar. Each query runs on an index made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.publishing.domain.article import article_url
from services.publishing.domain.content import Content
from services.publishing.domain.search import words
from services.publishing.store.articles import DUE
from shared.contracts.articles import Status
from shared.storage.client import Collection, Database, Document

LISTED = {
    "slug": 1,
    "status": 1,
    "revision": 1,
    "published_at": 1,
    "updated_at": 1,
    "created_at": 1,
    "created_by": 1,
    "language": 1,
    "standing": 1,
    "corrections": 1,
    "live.slug": 1,
    **{
        f"content.{name}": 1
        for name in Content.model_fields
        if name not in {"slug", "body", "language", "images"}
    },
}
CALENDAR_MOST = 1000
MISSED = "standing.missed.due"
CORRECTED = "corrections.0.at"


@dataclass(frozen=True)
class Wanted:
    """What the desk is filtered by; None leaves it open."""

    statuses: tuple[str, ...] = ()
    section: str | None = None
    tag: str | None = None
    created_by: str | None = None
    author: str | None = None
    language: str | None = None
    translation_group: str | None = None
    missed: bool = False
    corrected: bool = False
    text: str | None = None

    def query(self) -> Document:
        """Every filter has an index that ends in `_id`, so a page reads little more than it shows."""
        found: Document = {}
        if self.statuses:
            found["status"] = {"$in": list(self.statuses)}
        fields = {
            "content.section": self.section,
            "content.tags": self.tag,
            "created_by": self.created_by,
            "content.bylines.author": self.author,
            "language": self.language,
            "content.translation_group": self.translation_group,
        }
        found |= {name: value for name, value in fields.items() if value is not None}
        if self.missed:
            found[MISSED] = {"$exists": True}
        if self.corrected:
            found[CORRECTED] = {"$exists": True}
        if self.text is not None:
            found["words"] = {"$all": words([self.text])}
        return found


class DeskStore:
    """Reads of the `articles` collection."""

    def __init__(self, database: Database, public_url: str) -> None:
        self._articles: Collection = database["articles"]
        self._public_url = public_url

    async def declare(self) -> None:
        for keys in (
            ["status"],
            ["content.section"],
            ["status", "content.section"],
            ["content.tags"],
            ["created_by"],
            ["language"],
            ["words"],
        ):
            await self._articles.create_index([(key, 1) for key in [*keys, "_id"]])
        await self._articles.create_index([("published_at", 1)], name="published_at")
        for field, rare in (
            (MISSED, {"$exists": True}),
            (CORRECTED, {"$exists": True}),
            ("content.translation_group", {"$gt": ""}),
            ("content.bylines.author", {"$gt": ""}),
        ):
            await self._articles.create_index(
                [(field, 1), ("_id", 1)], name=field, partialFilterExpression={field: rare}
            )

    async def page(self, wanted: Wanted, after: str | None, limit: int) -> Sequence[Document]:
        """Articles in brief, newest first, starting behind the id `after`."""
        query = wanted.query()
        if after:
            query["_id"] = {"$lt": after}
        found = await self._articles.find(query, LISTED, sort=[("_id", -1)], limit=limit)
        return [_brief(document, self._public_url) for document in found]

    async def calendar(self, since: datetime, until: datetime) -> list[Document]:
        """What is scheduled or was first published from `since` to before `until`, in order of time."""
        window = {"$gte": since, "$lt": until}
        scheduled = await self._articles.find(
            {"status": Status.SCHEDULED.value, DUE: window}, LISTED, limit=CALENDAR_MOST
        )
        published = await self._articles.find({"published_at": window}, LISTED, limit=CALENDAR_MOST)
        items = [
            *({**_brief(one, self._public_url), "at": _due(one)} for one in scheduled),
            *({**_brief(one, self._public_url), "at": one["published_at"]} for one in published),
        ]
        return sorted(items, key=lambda item: (item["at"], item["id"]))


def _due(document: Document) -> Any:
    return document["standing"]["schedule"]["due"]


def _brief(document: Document, public_url: str) -> Document:
    public = document.get("live") if document["status"] == Status.PUBLISHED else None
    slug = (public or document)["slug"]
    apart = {"_id", "content", "live", "standing"}
    return {
        **document["content"],
        "id": document["_id"],
        "url": article_url(public_url, slug),
        **{key: document[key] for key in document if key not in apart},
        **standing_json(document.get("standing") or {}),
    }


def standing_json(standing: Document) -> Document:
    """The arrangements in the words of the Article JSON."""
    plan = standing.get("schedule")
    return {**standing, "scheduled_at": plan["due"] if plan else None}
