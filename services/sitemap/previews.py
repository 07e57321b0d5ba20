"""What a snapshot would put into news sitemap, archive and feed: the exact bytes, or the rule against it."""

from __future__ import annotations

from datetime import datetime

from services.sitemap.domain import feed, sitemaps
from services.sitemap.domain.entry import FEED_OUTLET, NEWS_OUTLET, Entry
from services.sitemap.usecases import Sitemaps
from shared.contracts.articles import Article
from shared.contracts.outlets import Operation
from shared.runtime.publication import Publication
from shared.web.previews import NONE, Line

SITEMAP_OUTLET = "sitemap"
"""The archive files. They are no outlet of the board: they follow the others within a moment."""


class Previews:
    """Shows snapshots; reads entries and changes none."""

    def __init__(self, sitemaps: Sitemaps, publication: Publication, public_url: str) -> None:
        self._sitemaps = sitemaps
        self._publication = publication
        self._public_url = public_url

    async def show(self, article: Article, now: datetime) -> list[Line]:
        previous, entry, within = await self._sitemaps.render(article, now)
        news = entry.news and sitemaps.named(entry.news, self._publication.name)
        return [
            self._line(
                NEWS_OUTLET,
                "news-sitemap.xml",
                _marked(entry, NEWS_OUTLET),
                news if within[NEWS_OUTLET] else None,
                _not_news(article, entry),
            ),
            self._line(
                SITEMAP_OUTLET,
                "sitemap.xml",
                _archived(previous, entry),
                entry.archive,
                sitemaps.unindexable(article),
            ),
            self._line(
                FEED_OUTLET,
                "feed.xml",
                _marked(entry, FEED_OUTLET),
                entry.item if within[FEED_OUTLET] else None,
                feed.unfeedable(article) or f"{feed.FEED_CAP} articles are newer",
            ),
        ]

    def _line(
        self,
        outlet: str,
        document: str,
        operation: Operation | None,
        xml: bytes | None,
        reason: str | None,
    ) -> Line:
        line: Line = {
            "outlet": outlet,
            "operation": operation.value if operation else NONE,
            "url": f"{self._public_url}/{document}",
            "included": xml is not None,
        }
        return line | ({"reason": reason} if xml is None else {"xml": xml.decode()})


def _marked(entry: Entry, outlet: str) -> Operation | None:
    """What this very revision does at the outlet."""
    mark = entry.marks.get(outlet)
    return mark.operation if mark and mark.revision == entry.revision else None


def _archived(previous: Entry | None, entry: Entry) -> Operation | None:
    before = previous.archive if previous else None
    if before == entry.archive:
        return None
    if entry.archive is None:
        return Operation.REMOVE
    return Operation.INCLUDE if before is None else Operation.EDIT


def _not_news(article: Article, entry: Entry) -> str:
    if rule := sitemaps.unnewsworthy(article):
        return rule
    if entry.news is None:
        return "it was first published more than 48 hours ago"
    return f"{sitemaps.NEWS_CAP:,} articles are newer"
