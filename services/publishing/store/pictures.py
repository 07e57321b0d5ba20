"""Pictures in GridFS with one metadata document each; what is stored never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from services.publishing.domain.stored_pictures import StoredRendition
from services.publishing.usecases.ports import StoredPicture
from shared.runtime.ids import new_id
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

CACHE_BYTES = 32 * 1024 * 1024


class PictureStore:
    """The `media` collection and bucket. The latest pictures served stay in memory."""

    def __init__(self, database: Database) -> None:
        self._media: Collection = database["media"]
        self._files = database.files("media")
        self._cache: OrderedDict[tuple[str, str], tuple[bytes, str]] = OrderedDict()
        self._cached_bytes = 0

    async def find(self, media_id: str) -> StoredPicture | None:
        document = await self._media.find_one({"_id": media_id})
        return _picture(document) if document else None

    async def find_all(self, media_ids: Several[str]) -> dict[str, StoredPicture]:
        if not media_ids:
            return {}
        found = await self._media.find({"_id": {"$in": sorted(media_ids)}})
        return {one["_id"]: _picture(one) for one in found}

    async def put(
        self, picture: StoredPicture, contents: Sequence[bytes], by: str, now: datetime
    ) -> None:
        """Store the bytes, then the document that makes them visible."""
        files = {}
        for rendition, content in zip(picture.renditions, contents, strict=True):
            # A fresh id each time: an upload that a crash cut short never blocks the next one.
            files[rendition.name] = new_id()
            await self._files.put(files[rendition.name], content, {"media_id": picture.id})
        try:
            await self._media.insert_one(
                {
                    "_id": picture.id,
                    "width": picture.width,
                    "height": picture.height,
                    "renditions": [asdict(rendition) for rendition in picture.renditions],
                    "files": files,
                    "created_by": by,
                    "created_at": now,
                }
            )
        except Duplicate:
            return  # the same picture came twice at a time; the first is as good

    async def content(self, media_id: str, file: str) -> tuple[bytes, str] | None:
        """Bytes and media type of one size."""
        key = (media_id, file)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        document = await self._media.find_one({"_id": media_id}) or {}
        for rendition in document.get("renditions", ()):
            if rendition["file"] == file:
                found = await self._files.get(document["files"][rendition["name"]])
                return self._keep(key, found[0], rendition["media_type"]) if found else None
        return None

    def _keep(self, key: tuple[str, str], content: bytes, media_type: str) -> tuple[bytes, str]:
        if key not in self._cache:
            self._cache[key] = content, media_type
            self._cached_bytes += len(content)
        while self._cached_bytes > CACHE_BYTES:
            _, (dropped, _) = self._cache.popitem(last=False)
            self._cached_bytes -= len(dropped)
        return content, media_type


def _picture(document: Document) -> StoredPicture:
    return StoredPicture(
        document["_id"],
        document["width"],
        document["height"],
        tuple(StoredRendition(**one) for one in document["renditions"]),
    )
