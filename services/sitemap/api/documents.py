"""Serves the built documents as they are stored. Never renders, and never shows an expired news entry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from aiohttp import web

from services.sitemap.domain.documents import ARCHIVE, FEED, INDEX, NEWS, ROBOTS, Stamp
from services.sitemap.usecases import Sitemaps
from shared.runtime.clock import Clock
from shared.web.conditional import Prepared, serve
from shared.web.description import Answer as Answered
from shared.web.description import Operation, Parameter, Refusal, Tag, described
from shared.web.problems import not_found

Answer = Callable[[web.Request], Awaitable[web.Response]]


DOCUMENTS = Tag("Sitemaps and feeds", "What search engines and feed readers fetch.")


def _document(id: str, summary: str, media: str, *path: Parameter) -> Operation:
    answered = Answered("The document.", media=(media,), headers=("ETag", "Last-Modified"))
    return Operation(
        id,
        summary,
        DOCUMENTS,
        {200: answered},
        path=path,
        conditional=True,
        refusals=(Refusal(404, "There is no such document", "path"),),
    )


NEWS_SITEMAP = _document("read_news_sitemap", "The Google News sitemap", "application/xml")
SITEMAP_INDEX = _document("read_sitemap_index", "The index of all sitemaps", "application/xml")
ARCHIVE_FILE = _document(
    "read_sitemap",
    "One file of the archive sitemap",
    "application/xml",
    Parameter(
        "file",
        "Its number; the index lists those there are.",
        {"type": "integer", "minimum": 1, "maximum": 999_999},
        1,
    ),
)
ROBOTS_TXT = _document("read_robots", "What crawlers may fetch", "text/plain")
RSS = _document("read_feed", "The newest articles as RSS 2.0", "application/rss+xml")


class Stored(Protocol):
    """Where the documents are."""

    async def stamp(self, name: str) -> Stamp | None: ...
    async def read(self, name: str) -> Prepared | None: ...


class DocumentRoutes:
    """Keeps each document's bytes in memory while its stamp in the database stays the same."""

    def __init__(self, documents: Stored, sitemaps: Sitemaps, clock: Clock) -> None:
        self._documents = documents
        self._sitemaps = sitemaps
        self._clock = clock
        self._kept: dict[str, tuple[tuple[str, datetime | None], Prepared]] = {}

    def routes(self) -> list[web.AbstractRouteDef]:
        """GET and HEAD of every document."""
        return [
            described(web.get("/news-sitemap.xml", self._fixed(NEWS)), NEWS_SITEMAP),
            described(web.get("/sitemap.xml", self._fixed(INDEX)), SITEMAP_INDEX),
            described(web.get("/robots.txt", self._fixed(ROBOTS)), ROBOTS_TXT),
            described(web.get("/feed.xml", self._fixed(FEED)), RSS),
            described(
                web.get(r"/sitemaps/articles-{file:[1-9][0-9]{0,5}}.xml", self._archive),
                ARCHIVE_FILE,
            ),
        ]

    def _fixed(self, name: str) -> Answer:
        async def answer(request: web.Request) -> web.Response:
            return await self._answer(request, name)

        return answer

    async def _archive(self, request: web.Request) -> web.Response:
        return await self._answer(request, f"{ARCHIVE}{request.match_info['file']}")

    async def _answer(self, request: web.Request, name: str) -> web.Response:
        stamp = await self._documents.stamp(name)
        if stamp and stamp.expired(self._clock.now()):
            await self._sitemaps.rebuild(name)
            stamp = await self._documents.stamp(name)
        document = await self._current(stamp) if stamp else None
        if document is None:
            raise not_found("document", "path")
        return serve(request, document)

    async def _current(self, stamp: Stamp) -> Prepared | None:
        version = (stamp.etag, stamp.modified)
        kept = self._kept.get(stamp.name)
        if kept and kept[0] == version:
            return kept[1]
        document = await self._documents.read(stamp.name)
        if document:
            self._kept[stamp.name] = ((document.etag, document.modified), document)
        return document
