"""Immutable revisions and the append-only audit log. Writing a line again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from services.publishing.domain.article import WorkingCopy
from services.publishing.store.documents import from_document, to_document
from services.publishing.usecases.ports import ActRecord, Line
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

STATE = ("slug", "status", "corrections", "retraction", "standing")


class RecordStore:
    """The `revisions` and `audit` collections."""

    def __init__(self, database: Database) -> None:
        self._revisions: Collection = database["revisions"]
        self._audit: Collection = database["audit"]

    async def declare(self) -> None:
        await self._revisions.create_index([("article_id", 1), ("revision", -1)])
        for field in ("article_id", "by", "about", "act"):
            await self._audit.create_index([(field, 1), ("at", -1), ("_id", -1)])
        await self._audit.create_index([("at", -1), ("_id", -1)])

    async def revision(self, copy: WorkingCopy, record: ActRecord) -> None:
        """Keep the working copy as it was at this revision."""
        kept = {key: value for key, value in to_document(copy).items() if key != "live"}
        await _once(
            self._revisions,
            {
                "_id": f"{copy.id}:{copy.revision}",
                "article_id": copy.id,
                **kept,
                "act": asdict(record),
            },
        )

    async def audit(self, id: str, record: ActRecord, article_id: str | None = None) -> None:
        """Add one line; `id` makes a second writing of it harmless."""
        await _once(self._audit, {"_id": id, "article_id": article_id, **asdict(record)})

    async def revisions(
        self, article_id: str, before: int | None, limit: int
    ) -> Sequence[Document]:
        """Who made which revision, newest first, without the texts."""
        query: Document = {"article_id": article_id}
        if before is not None:
            query["revision"] = {"$lt": before}
        return await self._revisions.find(
            query,
            {"revision": 1, "act": 1, "status": 1, "content.headline": 1},
            sort=[("revision", -1)],
            limit=limit,
        )

    async def one_revision(self, article_id: str, revision: int) -> Document | None:
        return await self._revisions.find_one({"_id": f"{article_id}:{revision}"})

    async def newest_until(self, article_id: str, revision: int) -> WorkingCopy | None:
        found = await self._revisions.find(
            {"article_id": article_id, "revision": {"$lte": revision}},
            sort=[("revision", -1)],
            limit=1,
        )
        return _copy(found[0]) if found else None

    async def lines(self, article_id: str, above: int, limit: int) -> list[Line]:
        found = await self._revisions.find(
            {"article_id": article_id, "revision": {"$gt": above}},
            dict.fromkeys(("revision", "act", *STATE), 1),
            sort=[("revision", -1)],
            limit=limit,
        )
        return [_line(one, ActRecord(**one["act"])) for one in found]

    def line_of(self, copy: WorkingCopy, record: ActRecord) -> Line:
        return _line(to_document(copy), record)

    async def audit_page(
        self,
        filters: dict[str, str],
        since: datetime | None,
        until: datetime | None,
        behind: Document | None,
        limit: int,
    ) -> Sequence[Document]:
        """Lines that match, newest first, behind `{at, _id}` of an earlier page.

        From `since` on and before `until`; each filter has an index in this order.
        """
        query: Document = dict(filters)
        bounds = {"$gte": since, "$lt": until}
        if within := {name: at for name, at in bounds.items() if at}:
            query["at"] = within
        if behind:
            query["$or"] = [
                {"at": {"$lt": behind["at"]}},
                {"at": behind["at"], "_id": {"$lt": behind["_id"]}},
            ]
        return await self._audit.find(query, sort=[("at", -1), ("_id", -1)], limit=limit)


def _copy(document: Document) -> WorkingCopy:
    """A revision as a working copy; what was public at the time is not kept with it."""
    return from_document({**document, "_id": document["article_id"], "live": None}).copy


def _line(document: Document, record: ActRecord) -> Line:
    state = {name: document.get(name) for name in STATE}
    return Line(document["revision"], record, {**state, **(state.pop("standing") or {})})


async def _once(collection: Collection, document: Document) -> None:
    try:
        await collection.insert_one(document)
    except Duplicate:
        return  # written before the crash, or by the repair loop
