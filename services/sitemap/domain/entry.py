"""What the sitemap service keeps of one article, and which lines of the board a change makes. Pure.

Never decides the same revision twice: a replayed event finds its mark and answers the same operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.sitemap.domain.feed import feed_item, feedable
from services.sitemap.domain.sitemaps import archive_url, indexable, news_url, newsworthy
from shared.contracts.articles import Article
from shared.contracts.outlets import DeliveryState, Operation, OutletLine

NEWS_OUTLET, FEED_OUTLET = "news_sitemap", "feed"
OUTLETS = (NEWS_OUTLET, FEED_OUTLET)


class Mark(NamedTuple):
    """The last operation at one outlet and the revision that carried it."""

    operation: Operation
    revision: int


@dataclass(frozen=True)
class Entry:
    """Rendered parts of one article at one revision; None where a document does not list it."""

    article_id: str
    revision: int
    published_at: datetime | None
    updated_at: datetime
    news: bytes | None
    item: bytes | None
    archive: bytes | None
    marks: dict[str, Mark]
    """By outlet, what was last done there."""

    def carries(self, outlet: str) -> bool:
        return (self.news if outlet == NEWS_OUTLET else self.item) is not None


def render_entry(
    article: Article,
    previous: Entry | None,
    *,
    fresh: bool,
    within: dict[str, bool],
    publication_language: str,
) -> Entry:
    """The entry that follows `previous`.

    `fresh` says that the article is inside the news window. `within` says per outlet whether an
    article of this age stands in the outlet's document at all: in the window, among the newest so
    many. Where it does not, this revision changes nothing and makes no line.
    """
    news = fresh and newsworthy(article)
    entry = Entry(
        article_id=article.id,
        revision=article.revision,
        published_at=article.published_at,
        updated_at=article.updated_at,
        news=news_url(article, publication_language) if news else None,
        item=feed_item(article) if feedable(article) else None,
        archive=archive_url(article) if indexable(article) else None,
        marks=dict(previous.marks) if previous else {},
    )
    for outlet in OUTLETS:
        mark = _mark(
            entry.marks.get(outlet),
            article.revision,
            within=within[outlet],
            carried=entry.carries(outlet),
        )
        if mark:
            entry.marks[outlet] = mark
    return entry


def _mark(previous: Mark | None, revision: int, *, within: bool, carried: bool) -> Mark | None:
    if previous and previous.revision == revision:
        return previous
    there = previous is not None and previous.operation is not Operation.REMOVE
    if not within or not (there or carried):
        return previous
    if not carried:
        return Mark(Operation.REMOVE, revision)
    return Mark(Operation.EDIT if there else Operation.INCLUDE, revision)


def lines(entry: Entry, addresses: dict[str, str], milliseconds: int | None) -> list[OutletLine]:
    """What this revision did, one line for each outlet it touched.

    `milliseconds` is None for a repetition, whose first time is already on the board.
    """
    return [
        OutletLine(
            outlet=outlet,
            delivery=f"{entry.article_id}:{outlet}:{mark.operation.value}:{mark.revision}",
            operation=mark.operation,
            state=DeliveryState.CONFIRMED,
            sequence=mark.revision,
            revision=mark.revision,
            url=addresses[outlet],
            attempts=1,
            milliseconds=milliseconds,
        )
        for outlet, mark in sorted(entry.marks.items())
        if mark.revision == entry.revision
    ]
