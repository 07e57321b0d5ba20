"""The documents this service builds: their names, how stale or expired one is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

NEWS, FEED, INDEX, ROBOTS, ARCHIVE = "news-sitemap", "feed", "sitemap", "robots", "articles-"
"""Names of the stored documents; an archive file's ends with its number."""

_XML = "application/xml; charset=utf-8"
_CONTENT_TYPES = {
    FEED: "application/rss+xml; charset=utf-8",
    ROBOTS: "text/plain; charset=utf-8",
}


def content_type(name: str) -> str:
    """The media type of a document."""
    return _CONTENT_TYPES.get(name, _XML)


@dataclass(frozen=True)
class Body:
    """What a build made: bytes, how many entries, when the oldest leaves the news window."""

    content: bytes
    entries: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Stamp:
    """A stored document without its bytes. It is stale while `built_seq` is below `seq`."""

    name: str
    seq: int
    built_seq: int
    etag: str
    modified: datetime | None
    expires_at: datetime | None
    entries: int

    def expired(self, now: datetime) -> bool:
        """True from the very instant at which the oldest entry is 48 hours old."""
        return self.expires_at is not None and self.expires_at <= now

    def stale(self, now: datetime) -> bool:
        """A change is not built in yet, or an entry's time is over."""
        return self.built_seq < self.seq or self.expired(now)


@dataclass(frozen=True)
class Unlisted:
    """An entry whose archive part changed and is not yet in its file."""

    article_id: str
    revision: int
    listed: bool
    """Whether the archive shall show it."""
    file: int
    """Number of its file, 0 before it has one."""
