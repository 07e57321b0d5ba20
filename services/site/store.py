"""Pages, lists and the edition number in MongoDB. An older revision never replaces a newer page."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from services.site.domain.presence import OUTLET, Mark
from services.site.domain.reaction import Reaction
from services.site.page import Page
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import Counts, Operation, OutletFigures, total
from shared.storage.client import Collection, Document, Files
from shared.storage.errors import Duplicate
from shared.storage.held import Held
from shared.web.conditional import Prepared

_NEWEST = [("article.published_at", -1), ("_id", -1)]
CACHED_CARDS = 64
"""About 8 MB."""
_EDITION = {"_id": "edition"}


class Pages:
    """One document per address: the finished bytes, where it leads, or that nothing is there.

    Only the gzip form is kept; unpacking it costs less than reading both.
    """

    def __init__(self, collection: Collection) -> None:
        self._rows = collection

    async def put(self, page: Page) -> None:
        """Keep the page unless a newer one of the article is there, or the slug is another article's."""
        mine = {
            "_id": page.slug,
            "article_id": page.article_id,
            "$or": [
                {"revision": {"$lt": page.revision}},
                {"revision": page.revision, "reaction": {"$not": {"$gt": page.reaction}}},
            ],
        }
        fields: Document = {
            "revision": page.revision,
            "dress": page.dress,
            "reaction": page.reaction,
            "location": page.location,
            "document": _stored(page.document),
        }
        try:
            await self._rows.update_one(mine, {"$set": fields}, upsert=True)
        except Duplicate:
            # A newer one is there, or an older one was inserted in this very instant: ask again.
            await self._rows.update_one(mine, {"$set": fields})

    async def get(self, slug: str) -> Page | None:
        row = await self._rows.find_one({"_id": slug})
        if row is None:
            return None
        document = _prepared(row["document"]) if row["document"] else None
        return Page(
            slug,
            row["article_id"],
            row["revision"],
            row["dress"],
            row["location"],
            document,
            row.get("reaction", 0),
        )


class CardFiles:
    """Drawn cards by path, for good: an address never gets other bytes. The latest stay in memory."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._latest: OrderedDict[str, bytes] = OrderedDict()

    async def put(self, path: str, content: bytes) -> None:
        await self._files.put(path, content, {})
        self._keep(path, content)

    async def get(self, path: str) -> bytes | None:
        if path in self._latest:
            self._latest.move_to_end(path)
            return self._latest[path]
        found = await self._files.get(path)
        if found is None:
            return None
        self._keep(path, found[0])
        return found[0]

    def _keep(self, path: str, content: bytes) -> None:
        self._latest[path] = content
        while len(self._latest) > CACHED_CARDS:
            self._latest.popitem(last=False)


class Reactions:
    """One document per article: the newest counts of each of its posts."""

    def __init__(self, collection: Collection) -> None:
        self._rows = collection

    async def take(self, article_id: str, figures: Sequence[OutletFigures]) -> None:
        """Keep what is newer than what is here; the same again changes nothing."""
        for one in figures:
            # A delivery's name may hold a dot, which a field's must not.
            post = f"posts.{hashlib.sha256(one.delivery.encode()).hexdigest()[:32]}"
            unless_newer = {"_id": article_id, f"{post}.at": {"$not": {"$gte": one.at}}}
            kept = {"at": one.at, "counts": one.counts.model_dump(exclude_none=True)}
            change = {"$set": {post: kept}, "$inc": {"version": 1}}
            try:
                await self._rows.update_one(unless_newer, change, upsert=True)
            except Duplicate:
                # This or a newer reading is there, or another post's was inserted in this very instant.
                await self._rows.update_one(unless_newer, change)

    async def of(self, article_id: str) -> Reaction:
        row = await self._rows.find_one({"_id": article_id})
        if row is None:
            return Reaction()
        counts = total(Counts(**one["counts"]) for one in row["posts"].values())
        return Reaction(counts, row["version"])


class Lists:
    """Which published articles are newest, and the number of the edition they make."""

    def __init__(self, articles: Collection, editions: Collection) -> None:
        self._articles = articles
        self._editions = editions

    async def declare(self) -> None:
        """Indexes: newest of all, newest of a section."""
        for name, keys in (("newest", []), ("section", [("article.section", 1)])):
            await self._articles.create_index([("article.status", 1), *keys, *_NEWEST], name=name)

    async def newest(self, limit: int, section: str | None = None) -> list[Article]:
        """Published articles on the site without their text, newest first."""
        query: dict[str, Any] = {"article.status": Status.PUBLISHED.value}
        if section is not None:
            query["article.section"] = section
        query["article.skip_outlets"] = {"$ne": OUTLET}
        unread = {"article.body": 0, "article.body_html": 0, "outbox": 0}
        found = await self._articles.find(query, unread, sort=_NEWEST, limit=limit)
        return [Article.read({**row["article"], "body": "", "body_html": ""}) for row in found]

    async def edition(self) -> int:
        """Grows with every change; a list read after it holds at least the changes it counts."""
        row = await self._editions.find_one(_EDITION)
        return int(row["number"]) if row else 0

    async def next_edition(self) -> None:
        """Call it after the change itself is stored."""
        change = {"$inc": {"number": 1}}
        try:
            await self._editions.update_one(_EDITION, change, upsert=True)
        except Duplicate:
            await self._editions.update_one(_EDITION, change)  # another replica began the count


class Marks:
    """What was last done for an article, beside its snapshot."""

    def __init__(self, articles: Collection) -> None:
        self._articles = articles

    @staticmethod
    def of(held: Held) -> Mark | None:
        kept = held.extra.get("mark")
        return Mark(Operation(kept["operation"]), kept["revision"]) if kept else None

    async def put(self, article_id: str, mark: Mark) -> None:
        await self._articles.update_one(
            {"_id": article_id, "revision": mark.revision},
            {"$set": {"extra.mark": {"operation": mark.operation, "revision": mark.revision}}},
        )


def _stored(document: Prepared | None) -> Document | None:
    if document is None:
        return None
    return {
        "gzipped": document.gzipped,
        "etag": document.etag,
        "modified": document.modified,
        "content_type": document.content_type,
        "status": document.status,
    }


def _prepared(row: Document) -> Prepared:
    return Prepared(
        body=gzip.decompress(row["gzipped"]),
        gzipped=row["gzipped"],
        etag=row["etag"],
        # The driver's own UTC is not Python's, and HTTP dates are written from Python's only.
        modified=row["modified"].astimezone(UTC),
        content_type=row["content_type"],
        status=row["status"],
    )
