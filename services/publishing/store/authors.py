"""Author profiles in MongoDB, one document each; each write is conditional on the revision that was read."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import asdict

from services.publishing.domain.authors import Author, ProfileText
from services.publishing.domain.errors import Conflict
from services.publishing.domain.stored_pictures import StoredRendition
from services.publishing.store.articles import AUTHOR
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate


class AuthorStore:
    """The `authors` collection: `_id` is the slug that bylines name."""

    def __init__(self, database: Database) -> None:
        self._authors: Collection = database["authors"]
        self._articles: Collection = database["articles"]

    async def get(self, slug: str) -> Author | None:
        document = await self._authors.find_one({"_id": slug})
        return _author(document) if document else None

    async def named(self, slugs: Several[str]) -> dict[str, Author]:
        """Those of these that exist, by slug."""
        if not slugs:
            return {}
        found = await self._authors.find({"_id": {"$in": sorted(slugs)}})
        return {one["_id"]: _author(one) for one in found}

    async def page(self, after: str | None, limit: int) -> Sequence[Author]:
        """By slug, starting behind `after`."""
        query: Document = {"_id": {"$gt": after}} if after else {}
        found = await self._authors.find(query, sort=[("_id", 1)], limit=limit)
        return [_author(one) for one in found]

    async def insert(self, author: Author) -> None:
        try:
            await self._authors.insert_one({"_id": author.slug, **_document(author)})
        except Duplicate as error:
            raise Conflict("slug", "this slug belongs to another author") from error

    async def save(self, before: Author, after: Author) -> bool:
        return await self._authors.update_one(_unchanged(before), {"$set": _document(after)})

    async def delete(self, author: Author) -> bool:
        return await self._authors.delete_one(_unchanged(author))

    async def named_by(self, slug: str) -> str | None:
        """The id of an article whose working copy names this author."""
        found = await self._articles.find_one({AUTHOR: slug}, {"_id": 1})
        return found["_id"] if found else None


def _unchanged(author: Author) -> Document:
    return {"_id": author.slug, "revision": author.revision}


def _document(author: Author) -> Document:
    return {
        **author.profile.model_dump(),
        "portrait_files": [asdict(file) for file in author.portrait_files],
        "revision": author.revision,
        "created_at": author.created_at,
        "updated_at": author.updated_at,
    }


def _author(document: Document) -> Author:
    return Author(
        slug=document["_id"],
        profile=ProfileText.stored(document),
        portrait_files=tuple(StoredRendition(**file) for file in document["portrait_files"]),
        revision=document["revision"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
