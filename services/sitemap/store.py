"""Entries and documents in MongoDB. Never replaces an entry it has not seen, nor a newer document."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.sitemap.domain.documents import Body, Stamp, Unlisted
from services.sitemap.domain.entry import NEWS_OUTLET, Entry, Mark
from services.sitemap.domain.feed import Item
from shared.contracts.outlets import Operation
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate
from shared.web.conditional import Prepared

_NEWEST = [("published_at", -1), ("_id", -1)]
_PARTS = ("news", "item", "archive")


class EntryStore:
    """One document per article: its rendered parts, and its place in the archive."""

    def __init__(self, database: Database) -> None:
        self._entries = database["entries"]
        self._places = database["places"]

    async def declare(self) -> None:
        """An index for each document that is built from entries."""
        for part in ("news", "item"):
            await self._entries.create_index(
                _NEWEST, name=part, partialFilterExpression={part: {"$exists": True}}
            )
        await self._entries.create_index(
            [("file", 1), *_NEWEST],
            name="archive",
            partialFilterExpression={"archive": {"$exists": True}},
        )
        await self._entries.create_index(
            [("unlisted", 1)], name="unlisted", partialFilterExpression={"unlisted": True}
        )

    async def get(self, article_id: str) -> Entry | None:
        found = await self._entries.find_one({"_id": article_id})
        if found is None:
            return None
        return Entry(
            article_id=article_id,
            revision=found["revision"],
            published_at=found["published_at"],
            updated_at=found["updated_at"],
            news=found.get("news"),
            item=found.get("item"),
            archive=found.get("archive"),
            marks={
                outlet: Mark(Operation(mark["operation"]), mark["revision"])
                for outlet, mark in found["marks"].items()
            },
        )

    async def put(self, entry: Entry, previous: Entry | None) -> bool:
        """Replace `previous`; False when it is no longer what is stored."""
        fields: dict[str, Any] = {
            "revision": entry.revision,
            "published_at": entry.published_at,
            "updated_at": entry.updated_at,
            "marks": {
                outlet: {"operation": mark.operation.value, "revision": mark.revision}
                for outlet, mark in entry.marks.items()
            },
        }
        parts = {part: getattr(entry, part) for part in _PARTS}
        fields.update({part: xml for part, xml in parts.items() if xml is not None})
        if entry.archive != (previous.archive if previous else None):
            fields["unlisted"] = True
        if previous is None:
            try:
                await self._entries.insert_one({"_id": entry.article_id, **fields})
            except Duplicate:
                return False
            return True
        gone = {part: "" for part, xml in parts.items() if xml is None}
        seen = {"_id": entry.article_id, "revision": previous.revision}
        update = {"$set": fields, **({"$unset": gone} if gone else {})}
        written = await self._entries.find_one_and_update(seen, update, projection={"_id": 1})
        return written is not None

    async def newer(self, outlet: str, moment: datetime, limit: int) -> int:
        """How many entries of the outlet were published after `moment`; counts up to `limit`."""
        part = "news" if outlet == NEWS_OUTLET else "item"
        query = {part: {"$exists": True}, "published_at": {"$gt": moment}}
        return await self._entries.count(query, limit)

    async def news(self, since: datetime, limit: int) -> tuple[list[bytes], datetime | None]:
        """Pieces published after `since`, newest first, and when the oldest of them was published."""
        found = await self._joined(
            {"news": {"$exists": True}, "published_at": {"$gt": since}}, "news", limit
        )
        return found.get("pieces", []), found.get("oldest")

    async def items(self, limit: int) -> list[Item]:
        """The newest feed items."""
        found = await self._entries.find(
            {"item": {"$exists": True}}, {"item": 1, "updated_at": 1}, sort=_NEWEST, limit=limit
        )
        return [Item(document["item"], document["updated_at"]) for document in found]

    async def archive(self, file: int) -> list[bytes]:
        """All pieces of one archive file, newest first."""
        found = await self._joined({"archive": {"$exists": True}, "file": file}, "archive", 0)
        return list(found.get("pieces", []))

    async def _joined(self, query: Document, part: str, limit: int) -> Document:
        # One answer with an array: a cursor over thousands of small documents costs far more.
        pipeline: list[Document] = [{"$match": query}, {"$sort": dict(_NEWEST)}]
        if limit:
            pipeline.append({"$limit": limit})
        group = {
            "_id": None,
            "pieces": {"$push": f"${part}"},
            "oldest": {"$min": "$published_at"},
        }
        found = await self._entries.aggregate([*pipeline, {"$group": group}])
        return found[0] if found else {}

    async def unlisted(self, limit: int) -> list[Unlisted]:
        """Entries that wait for their archive file to be rebuilt."""
        found = await self._entries.find(
            {"unlisted": True}, {"revision": 1, "file": 1, "archive": 1}, limit=limit
        )
        return [
            Unlisted(d["_id"], d["revision"], d.get("archive") is not None, d.get("file", 0))
            for d in found
        ]

    async def place(self, article_ids: Sequence[str], cap: int) -> None:
        """Give each article a file of at most `cap`; a place once taken is never given again."""
        taken = await self._places.find_one_and_update(
            {"_id": "archive"}, {"$inc": {"taken": len(article_ids)}}, upsert=True
        )
        assert taken is not None
        first = taken["taken"] - len(article_ids)
        by_file: dict[int, list[str]] = {}
        for offset, article_id in enumerate(article_ids):
            by_file.setdefault((first + offset) // cap + 1, []).append(article_id)
        for file, ids in by_file.items():
            await self._entries.update_many(
                {"_id": {"$in": ids}, "file": {"$exists": False}}, {"$set": {"file": file}}
            )

    async def files(self, article_ids: Sequence[str]) -> set[int]:
        """The archive files these articles have their place in."""
        query = {"_id": {"$in": list(article_ids)}, "file": {"$exists": True}}
        return {document["file"] for document in await self._entries.find(query, {"file": 1})}

    async def settle(self, listed: Sequence[Unlisted]) -> None:
        """These entries are in their file, unless they have changed again since they were read."""
        same = [{"_id": one.article_id, "revision": one.revision} for one in listed]
        await self._entries.update_many({"$or": same}, {"$unset": {"unlisted": ""}})


class DocumentStore:
    """The built documents, each in one row: gzip form, ETag, when the bytes last changed.

    The plain form is not stored: unpacking it once costs less than writing it on every change.
    """

    def __init__(self, collection: Collection) -> None:
        self._rows = collection

    async def raise_seq(self, name: str) -> int:
        """Say that the document is out of date; the sequence that a build from now on covers."""
        row = await self._rows.find_one_and_update(
            {"_id": name},
            {"$inc": {"seq": 1}, "$setOnInsert": {"built_seq": 0, "etag": ""}},
            upsert=True,
            projection={"seq": 1},
        )
        assert row is not None
        return int(row["seq"])

    async def write(self, name: str, seq: int, document: Prepared, body: Body) -> None:
        """Store a build unless a later one is there. Equal bytes keep their `modified`."""
        same = {"$eq": ["$etag", document.etag]}
        fields = {
            "built_seq": seq,
            "expires_at": body.expires_at,
            "entries": body.entries,
            "gzipped": document.gzipped,
            "etag": document.etag,
            "content_type": document.content_type,
            "modified": {"$cond": [same, "$modified", document.modified]},
        }
        await self._rows.update_one({"_id": name, "built_seq": {"$lt": seq}}, [{"$set": fields}])

    async def stamp(self, name: str) -> Stamp | None:
        row = await self._rows.find_one({"_id": name}, _STAMP)
        return _stamp(row) if row else None

    async def stamps(self) -> list[Stamp]:
        """All documents without their bytes."""
        return [_stamp(row) for row in await self._rows.find({}, _STAMP)]

    async def read(self, name: str) -> Prepared | None:
        """The whole document; None until its first build."""
        row = await self._rows.find_one({"_id": name, "gzipped": {"$exists": True}})
        if row is None:
            return None
        # The driver's own UTC is not Python's, and HTTP dates are written from Python's only.
        modified = row["modified"].astimezone(UTC)
        body = gzip.decompress(row["gzipped"])
        return Prepared(body, row["gzipped"], row["etag"], modified, row["content_type"])


_STAMP = {"gzipped": 0}


def _stamp(row: Document) -> Stamp:
    return Stamp(
        name=row["_id"],
        seq=row["seq"],
        built_seq=row["built_seq"],
        etag=row["etag"],
        modified=row.get("modified"),
        expires_at=row.get("expires_at"),
        entries=row.get("entries", 0),
    )
