"""Articles in MongoDB: working copy, outbox and repair state in one document, changed by one update per act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.publishing.domain.article import StoredRendition, WorkingCopy, article_url
from services.publishing.domain.content import Content
from services.publishing.domain.errors import Conflict
from services.publishing.usecases.ports import ActRecord, Announcement, Kept
from shared.contracts.articles import Article, ArticleUpdated, Correction, Retraction, Status
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry

LISTED = {
    "slug": 1,
    "status": 1,
    "revision": 1,
    "published_at": 1,
    "updated_at": 1,
    "created_at": 1,
    "created_by": 1,
    "language": 1,
    "live.slug": 1,
    **{
        f"content.{name}": 1
        for name in Content.model_fields
        if name not in {"slug", "body", "language"}
    },
}


class ArticleStore:
    """The `articles` collection."""

    def __init__(self, database: Database, public_url: str) -> None:
        self.collection: Collection = database["articles"]
        self._public_url = public_url

    async def declare(self) -> None:
        await declare_outbox(self.collection)
        await self.collection.create_index([("slug", 1)], name="slug", unique=True)
        for keys in (["status"], ["content.section"], ["status", "content.section"]):
            await self.collection.create_index([(key, 1) for key in [*keys, "_id"]])
        # Partial: only articles with something owed are in these, however many there are in all.
        for field in ("repair_at", "unrecorded_at"):
            await self.collection.create_index(
                [(field, 1)], name=field, partialFilterExpression={field: {"$exists": True}}
            )

    async def get(self, article_id: str) -> Kept | None:
        document = await self.collection.find_one({"_id": article_id}, {"outbox": 0})
        return from_document(document) if document else None

    async def insert(self, copy: WorkingCopy, record: ActRecord) -> None:
        try:
            await self.collection.insert_one(
                {"_id": copy.id, **to_document(copy), **_owed(record), "awaiting": []}
            )
        except Duplicate as error:
            raise Conflict("slug", "this slug belongs to another article") from error

    async def save(
        self,
        before: WorkingCopy,
        after: WorkingCopy,
        record: ActRecord,
        announcement: Announcement | None,
    ) -> bool:
        old, new = to_document(before), to_document(after)
        changes = {key: value for key, value in new.items() if old[key] != value} | _owed(record)
        update: dict[str, Any] = {"$set": changes}
        if announcement:
            update = append(entry(announcement.outgoing, record.at))
            data = announcement.data
            update["$set"] |= changes | {
                "awaiting": list(announcement.awaiting),
                "repair_at": announcement.repair_at,
                "repair_count": 0,
                "announced": {
                    "type": data.TYPE,
                    "acted_at": data.acted_at,
                    **({"change": data.change} if isinstance(data, ArticleUpdated) else {}),
                },
            }
        try:
            return await self.collection.update_one(
                {"_id": after.id, "revision": before.revision, "status": before.status}, update
            )
        except Duplicate as error:
            raise Conflict("slug", "this slug belongs to another article") from error

    async def delete(self, copy: WorkingCopy) -> bool:
        return await self.collection.delete_one(
            {"_id": copy.id, "revision": copy.revision, "status": copy.status}
        )

    async def recorded(self, article_id: str, revision: int) -> None:
        """The revision and audit lines of this act are written; a newer act's are still owed."""
        await self.collection.update_one(
            {"_id": article_id, "revision": revision}, {"$unset": {"unrecorded_at": 1}}
        )

    async def unrecorded(self, before: datetime, limit: int) -> list[Kept]:
        """Acts whose lines a crash kept from being written."""
        found = await self.collection.find(
            {"unrecorded_at": {"$lte": before}}, {"outbox": 0}, limit=limit
        )
        return [from_document(document) for document in found]

    async def page(
        self, status: str | None, section: str | None, after: str | None, limit: int
    ) -> Sequence[Document]:
        """Articles in brief, newest first, starting behind the id `after`."""
        query: Document = {}
        if status:
            query["status"] = status
        if section:
            query["content.section"] = section
        if after:
            query["_id"] = {"$lt": after}
        found = await self.collection.find(query, LISTED, sort=[("_id", -1)], limit=limit)
        return [_brief(document, self._public_url) for document in found]


def _owed(record: ActRecord) -> Document:
    return {"act": asdict(record), "unrecorded_at": record.at}


def to_document(copy: WorkingCopy) -> Document:
    """The stored form, without the id."""
    return {
        "content": copy.content.model_dump(),
        "slug": copy.slug,
        "body_html": copy.body_html,
        "language": copy.language,
        "lead_files": [asdict(file) for file in copy.lead_files],
        "status": copy.status.value,
        "revision": copy.revision,
        "publication": copy.publication,
        "published_at": copy.published_at,
        "updated_at": copy.updated_at,
        "corrections": [correction.model_dump() for correction in copy.corrections],
        "retraction": copy.retraction.model_dump() if copy.retraction else None,
        "redirects": list(copy.redirects),
        "live": copy.live.model_dump() if copy.live else None,
        "created_at": copy.created_at,
        "created_by": copy.created_by,
    }


def from_document(document: Document) -> Kept:
    """The stored form, back as a working copy with the act that is still owed its lines."""
    live, retraction = document["live"], document["retraction"]
    copy = WorkingCopy(
        id=document["_id"],
        content=Content.stored(document["content"]),
        slug=document["slug"],
        body_html=document["body_html"],
        language=document["language"],
        lead_files=tuple(StoredRendition(**file) for file in document["lead_files"]),
        status=Status(document["status"]),
        revision=document["revision"],
        publication=document["publication"],
        published_at=document["published_at"],
        updated_at=document["updated_at"],
        corrections=tuple(Correction.read(one) for one in document["corrections"]),
        retraction=Retraction.read(retraction) if retraction else None,
        redirects=tuple(document["redirects"]),
        live=Article.read(live) if live else None,
        created_at=document["created_at"],
        created_by=document["created_by"],
    )
    return Kept(copy, ActRecord(**document["act"]) if "unrecorded_at" in document else None)


def _brief(document: Document, public_url: str) -> Document:
    public = document.get("live") if document["status"] == Status.PUBLISHED else None
    slug = (public or document)["slug"]
    return {
        **document["content"],
        "id": document["_id"],
        "url": article_url(public_url, slug),
        **{key: document[key] for key in document if key not in {"_id", "content", "live"}},
    }
