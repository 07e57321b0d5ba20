"""Articles in MongoDB: working copy, outbox and repair state in one document, changed by one update per act."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.errors import Conflict
from services.publishing.store.documents import from_document, to_document
from services.publishing.usecases.ports import ActRecord, Announcement, Due, Kept, Step, Write
from shared.contracts.articles import ArticleUpdated, Status
from shared.runtime.ids import new_token
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry

DUE = "standing.schedule.due"
AUTHOR = "content.bylines.author"
TRANSLATIONS = "content.translation_group"
ORIGIN = "origin.source"


class ArticleStore:
    """The `articles` collection."""

    def __init__(self, database: Database) -> None:
        self.collection: Collection = database["articles"]

    async def declare(self) -> None:
        await declare_outbox(self.collection)
        await self.collection.create_index([("slug", 1)], name="slug", unique=True)
        # The effective language: one that is the publication's own by default counts as well.
        await self.collection.create_index(
            [(TRANSLATIONS, 1), ("language", 1)],
            name="translation",
            unique=True,
            partialFilterExpression={TRANSLATIONS: {"$gt": ""}},
        )
        await self.collection.create_index(
            [(ORIGIN, 1), ("origin.external_id", 1)],
            name="origin",
            unique=True,
            partialFilterExpression={ORIGIN: {"$exists": True}},
        )
        # Partial: only articles with something owed are in these, however many there are in all.
        for field in ("repair_at", "unrecorded_at"):
            await self.collection.create_index(
                [(field, 1)], name=field, partialFilterExpression={field: {"$exists": True}}
            )
        await self.collection.create_index(
            [(DUE, 1)], name="due", partialFilterExpression={"status": Status.SCHEDULED.value}
        )

    async def get(self, article_id: str) -> Kept | None:
        document = await self.collection.find_one({"_id": article_id}, {"outbox": 0})
        return from_document(document) if document else None

    async def many(self, article_ids: Sequence[str]) -> list[Kept]:
        """Those of the articles that are there, in no order."""
        found = await self.collection.find({"_id": {"$in": list(article_ids)}}, {"outbox": 0})
        return [from_document(document) for document in found]

    async def of_origin(self, source: str, external_id: str) -> Kept | None:
        """The article that came from there."""
        document = await self.collection.find_one(
            {ORIGIN: source, "origin.external_id": external_id}, {"outbox": 0}
        )
        return from_document(document) if document else None

    async def in_order(self, after: str | None, limit: int) -> list[Kept]:
        """Whole articles by id, starting behind `after`."""
        query: Document = {"_id": {"$gt": after}} if after else {}
        found = await self.collection.find(query, {"outbox": 0}, sort=[("_id", 1)], limit=limit)
        return [from_document(document) for document in found]

    async def statuses(self, ids: Several[str]) -> dict[str, Status]:
        """Where each of these stands; those that do not exist are left out."""
        if not ids:
            return {}
        found = await self.collection.find({"_id": {"$in": sorted(ids)}}, {"status": 1})
        return {one["_id"]: Status(one["status"]) for one in found}

    async def insert(
        self, copy: WorkingCopy, record: ActRecord, announcement: Announcement | None = None
    ) -> None:
        document = {"_id": copy.id, **to_document(copy), **_owed(record), "awaiting": []}
        if announcement:
            document |= {
                "outbox": [entry(announcement.outgoing, record.at)],
                "outbox_pending": True,
                **_announced(announcement),
            }
        try:
            await self.collection.insert_one(document)
        except Duplicate as error:
            raise _taken(error) from error

    async def save(self, step: Step) -> bool:
        try:
            return await self.collection.update_one(*_conditional(step))
        except Duplicate as error:
            raise _taken(error) from error

    def write_of(self, step: Step) -> Write:
        return Write(step, *_conditional(step))

    async def save_all(self, writes: Sequence[Write]) -> set[str]:
        """Many steps in one round trip; the ids of those that nobody else was faster with.

        Only for steps that keep their slug.
        """
        token = new_token()
        changed = await self.collection.update_each(
            [
                (one.query, {**one.update, "$set": {**one.update["$set"], "wave": token}})
                for one in writes
            ]
        )
        ids = [one.step.after.id for one in writes]
        if changed == len(ids):
            return set(ids)
        found = await self.collection.find({"_id": {"$in": ids}, "wave": token}, {"_id": 1})
        return {one["_id"] for one in found}

    async def still_due(self, article_ids: Sequence[str]) -> set[str]:
        """Those that nobody has published or taken off the schedule meanwhile."""
        query = {"_id": {"$in": list(article_ids)}, "status": Status.SCHEDULED.value}
        return {one["_id"] for one in await self.collection.find(query, {"_id": 1})}

    async def due(self, before: datetime, limit: int) -> list[Due]:
        """Schedules up to an instant, earliest first."""
        found = await self.collection.find(
            {"status": Status.SCHEDULED.value, DUE: {"$lte": before}},
            {DUE: 1, "revision": 1},
            sort=[(DUE, 1)],
            limit=limit,
        )
        return [
            Due(one["_id"], one["revision"], one["standing"]["schedule"]["due"]) for one in found
        ]

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


def _taken(error: Duplicate) -> Conflict:
    """What the unique index that refused stands for."""
    if error.field == ORIGIN:
        return Conflict("external_id", "this article came at the same time in another request")
    if error.field == "_id":
        return Conflict("id", "another article has this id")
    if error.field == TRANSLATIONS:
        return Conflict("language", "another article is this group's translation in this language")
    return Conflict("slug", "this slug belongs to another article")


def _conditional(step: Step) -> tuple[Document, dict[str, Any]]:
    """The update of one step, and the condition under which nobody else was faster."""
    before, record = step.before.copy, step.record
    old, new = to_document(before), to_document(step.after)
    changes = {key: value for key, value in new.items() if old[key] != value} | _owed(record)
    update: dict[str, Any] = {"$set": changes}
    events = [one for one in (step.announcement, step.alert) if one]
    if events:
        outgoing = [one.outgoing if isinstance(one, Announcement) else one for one in events]
        update = append(*(entry(one, record.at) for one in outgoing))
        update["$set"] |= changes
    if step.announcement:
        update["$set"] |= _announced(step.announcement)
    query = {"_id": step.after.id, "revision": before.revision, "status": before.status}
    return query, update


def _announced(announcement: Announcement) -> Document:
    """Who must report it, and what is said again until they have."""
    data = announcement.data
    return {
        "awaiting": list(announcement.awaiting),
        "repair_at": announcement.repair_at,
        "repair_count": 0,
        "announced": {
            "type": data.TYPE,
            "acted_at": data.acted_at,
            **({"change": data.change} if isinstance(data, ArticleUpdated) else {}),
        },
    }


def _owed(record: ActRecord) -> Document:
    return {"act": asdict(record), "unrecorded_at": record.at}
