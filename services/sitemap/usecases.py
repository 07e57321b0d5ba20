"""The acts of the sitemap service: apply an article, rebuild a document, bring everything up to date.

Never leaves a stale document: whoever changes an entry raises the document's sequence afterwards and
builds from what it reads after that, and a build never overwrites one of a higher sequence.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from services.sitemap.domain import sitemaps
from services.sitemap.domain.documents import (
    ARCHIVE,
    FEED,
    INDEX,
    NEWS,
    ROBOTS,
    Body,
    Stamp,
    Unlisted,
    content_type,
)
from services.sitemap.domain.entry import FEED_OUTLET, NEWS_OUTLET, Entry, lines, render_entry
from services.sitemap.domain.feed import FEED_CAP, Item, feed
from shared.contracts.articles import Article
from shared.contracts.outlets import OutletLine
from shared.delivery.metrics import LATENCY
from shared.runtime.clock import Clock, elapsed_ms
from shared.runtime.publication import Publication
from shared.storage.held import Held
from shared.web.conditional import Prepared

CHECK_SECONDS = 30.0
"""A document is looked at this often although nothing woke us: another replica may have died."""
BATCH = 1000


class Entries(Protocol):
    """The entries as this module needs them."""

    async def get(self, article_id: str) -> Entry | None: ...
    async def put(self, entry: Entry, previous: Entry | None) -> bool: ...
    async def newer(self, outlet: str, moment: datetime, limit: int) -> int: ...
    async def news(self, since: datetime, limit: int) -> tuple[list[bytes], datetime | None]: ...
    async def items(self, limit: int) -> list[Item]: ...
    async def archive(self, file: int) -> list[bytes]: ...
    async def unlisted(self, limit: int) -> list[Unlisted]: ...
    async def place(self, article_ids: Sequence[str], cap: int) -> None: ...
    async def files(self, article_ids: Sequence[str]) -> set[int]: ...
    async def settle(self, listed: Sequence[Unlisted]) -> None: ...


class Documents(Protocol):
    """The stored documents as this module needs them."""

    async def raise_seq(self, name: str) -> int: ...
    async def write(self, name: str, seq: int, document: Prepared, body: Body) -> None: ...
    async def stamps(self) -> list[Stamp]: ...


class Sitemaps:
    """The documents of one publication."""

    def __init__(
        self,
        entries: Entries,
        documents: Documents,
        publication: Publication,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._entries, self._documents = entries, documents
        self._publication, self._public_url = publication, public_url
        self._clock = clock
        self._addresses = {
            NEWS_OUTLET: f"{public_url}/news-sitemap.xml",
            FEED_OUTLET: f"{public_url}/feed.xml",
        }
        self._building: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wanted: dict[str, int] = {}
        self._built: dict[str, int] = {}

    async def apply(self, held: Held) -> list[OutletLine]:
        """Bring news sitemap and feed to this snapshot; the archive follows with `refresh`."""
        article = held.article
        while True:
            previous, entry, _ = await self.render(article, self._clock.now())
            if previous and previous.revision > entry.revision:
                return []
            if await self._entries.put(entry, previous):
                break
        # A crash may have come between an earlier entry and its documents: then rebuild both.
        doubtful = previous is not None and (
            held.applied_revision < previous.revision or previous.revision == entry.revision
        )
        touched = [
            name
            for name, outlet in ((NEWS, NEWS_OUTLET), (FEED, FEED_OUTLET))
            if doubtful or entry.carries(outlet) or (previous and previous.carries(outlet))
        ]
        await asyncio.gather(*(self.rebuild(name) for name in touched))
        if held.applied_revision >= article.revision:
            return lines(entry, self._addresses, None)
        milliseconds = elapsed_ms(held.acted_at, self._clock.now())
        done = lines(entry, self._addresses, milliseconds)
        for line in done:
            LATENCY.labels(line.outlet).observe(milliseconds / 1000)
        return done

    async def render(
        self, article: Article, now: datetime
    ) -> tuple[Entry | None, Entry, dict[str, bool]]:
        """The entry as it is, as this snapshot makes it, and where an article of its age stands at all."""
        previous, fresh, within = await self._look(article, now)
        entry = render_entry(
            article,
            previous,
            fresh=fresh,
            within=within,
            publication_language=self._publication.language,
        )
        return previous, entry, within

    async def _look(
        self, article: Article, now: datetime
    ) -> tuple[Entry | None, bool, dict[str, bool]]:
        """The entry as it is, whether the article is in the news window, and where it stands at all."""
        published_at = article.published_at
        if published_at is None:
            nowhere = {NEWS_OUTLET: False, FEED_OUTLET: False}
            return await self._entries.get(article.id), False, nowhere
        previous, newer_news, newer_items = await asyncio.gather(
            self._entries.get(article.id),
            self._entries.newer(NEWS_OUTLET, published_at, sitemaps.NEWS_CAP),
            self._entries.newer(FEED_OUTLET, published_at, FEED_CAP),
        )
        fresh = published_at > now - sitemaps.NEWS_WINDOW
        within = {
            NEWS_OUTLET: fresh and newer_news < sitemaps.NEWS_CAP,
            FEED_OUTLET: newer_items < FEED_CAP,
        }
        return previous, fresh, within

    async def rebuild(self, name: str) -> None:
        """Build one document from what is stored now; builds of one name share what they can."""
        seq = await self._documents.raise_seq(name)
        self._wanted[name] = max(seq, self._wanted.get(name, 0))
        async with self._building[name]:
            if self._built.get(name, 0) >= seq:
                return  # a build that began after our change has covered it
            seq = self._wanted[name]
            body = await self._compose(name)
            modified = self._clock.now()
            # Half a megabyte takes milliseconds that the event loop has not to spare.
            document = await asyncio.to_thread(_prepare, body.content, modified, name)
            await self._documents.write(name, seq, document, body)
            self._built[name] = seq

    async def _compose(self, name: str) -> Body:
        if name == NEWS:
            since = self._clock.now() - sitemaps.NEWS_WINDOW
            pieces, oldest = await self._entries.news(since, sitemaps.NEWS_CAP)
            content = sitemaps.news_sitemap(pieces, self._publication.name)
            expires_at = oldest + sitemaps.NEWS_WINDOW if oldest else None
            return Body(content, len(pieces), expires_at)
        if name == FEED:
            items = await self._entries.items(FEED_CAP)
            return Body(feed(self._publication, self._public_url, items), len(items))
        if name == INDEX:
            return Body(sitemaps.index(self._files(await self._documents.stamps())))
        if name == ROBOTS:
            return Body(sitemaps.robots(self._public_url))
        pieces = await self._entries.archive(int(name.removeprefix(ARCHIVE)))
        return Body(sitemaps.archive(pieces), len(pieces))

    def _files(self, stamps: Sequence[Stamp]) -> list[tuple[str, datetime]]:
        """What the index lists: every archive file that is not empty, in order, and the news."""
        archives = [s for s in stamps if s.name.startswith(ARCHIVE) and s.entries and s.modified]
        archives.sort(key=lambda stamp: int(stamp.name.removeprefix(ARCHIVE)))
        files = [
            (f"{self._public_url}/sitemaps/{stamp.name}.xml", stamp.modified)
            for stamp in archives
            if stamp.modified
        ]
        news = [stamp.modified for stamp in stamps if stamp.name == NEWS and stamp.modified]
        return files + [(self._addresses[NEWS_OUTLET], modified) for modified in news]

    async def start(self) -> None:
        """Every document as of now, whatever happened while nobody ran."""
        await asyncio.gather(*(self.rebuild(name) for name in (NEWS, FEED, ROBOTS)))
        await self.refresh()

    async def refresh(self) -> float:
        """List what changed in the archive, drop what expired, finish what a crash left stale.

        Answers the seconds until there is something to do, at most `CHECK_SECONDS`.
        """
        await self._list_articles()
        now = self._clock.now()
        stale = [
            stamp.name
            for stamp in await self._documents.stamps()
            if stamp.name != INDEX and stamp.stale(now)
        ]
        await _each(self.rebuild, stale)
        await self.rebuild(INDEX)
        due = [s.expires_at for s in await self._documents.stamps() if s.expires_at]
        wait = (min(due) - self._clock.now()).total_seconds() if due else CHECK_SECONDS
        return min(CHECK_SECONDS, max(0.01, wait))

    async def _list_articles(self) -> None:
        """Give new articles their file for good, and rebuild the files that changed."""
        while batch := await self._entries.unlisted(BATCH):
            homeless = [one.article_id for one in batch if one.listed and not one.file]
            if homeless:
                await self._entries.place(homeless, sitemaps.ARCHIVE_CAP)
            files = await self._entries.files([one.article_id for one in batch])
            await _each(self.rebuild, [f"{ARCHIVE}{file}" for file in sorted(files)])
            await self._entries.settle(batch)


def _prepare(content: bytes, modified: datetime, name: str) -> Prepared:
    # Level 2 takes a quarter of level 6's time for a tenth more bytes: an editor waits for this.
    zipped = gzip.compress(content, compresslevel=2, mtime=0)
    etag = hashlib.sha256(content).hexdigest()[:32]
    return Prepared(content, zipped, etag, modified, content_type(name))


async def _each(act: Callable[[str], Awaitable[None]], names: Sequence[str]) -> None:
    # One after the other: a backlog must not hold many large documents in memory at once.
    for name in names:
        await act(name)
