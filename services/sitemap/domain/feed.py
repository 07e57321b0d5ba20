"""The RSS 2.0 feed: one item per public article, rendered once. Pure.

Never gives a premium article's body away, never changes an item's guid, never shows what was withdrawn.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from lxml import html as lxml_html  # type: ignore[import-untyped]

from services.sitemap.domain.markup import Frame, add, address, legal, one_line
from shared.contracts.articles import Article, LeadImage, Status
from shared.runtime.publication import Publication

FEED_CAP = 50
"""Items in the feed."""
FEED_BYTES = 6 * 1024 * 1024
"""Item bytes in the feed: readers refuse larger ones, and it is kept in one database document."""

CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "http://search.yahoo.com/mrss/"

_RSS = Frame(
    "rss", {"content": CONTENT, "dc": DC, "atom": ATOM, "media": MEDIA}, {"version": "2.0"}
)
_NEEDS_BASE = re.compile(
    r"""\s(?:href|src|srcset|cite|poster)\s*=\s*["']?(?![a-z][a-z0-9+.-]*:)""", re.IGNORECASE
)


@dataclass(frozen=True)
class Item:
    """A rendered item and when its article last changed."""

    xml: bytes
    updated_at: datetime


def unfeedable(article: Article) -> str | None:
    """The rule that keeps the article out of the feed; None where none does."""
    if "feed" in article.skip_outlets:
        return "left out by the editor"
    if article.status is not Status.PUBLISHED or article.published_at is None:
        return "the article is not public"
    return None


def feedable(article: Article) -> bool:
    """May stand in the feed."""
    return unfeedable(article) is None


def feed_item(article: Article) -> bytes:
    """The `<item>` of an article that is `feedable`. The guid is its id, so no edit makes it new."""
    published_at = article.published_at
    assert published_at is not None

    def fill(root: Any) -> None:
        item = add(root, "item")
        add(item, "title", one_line(article.headline))
        add(item, "link", address(article.url))
        add(item, "guid", f"urn:uuid:{article.id}", isPermaLink="false")
        add(item, "pubDate", _rfc822(published_at))
        for byline in article.bylines:
            add(item, f"{{{DC}}}creator", one_line(byline.name))
        for tag in article.tags:
            add(item, "category", one_line(tag))
        notices = _notices(article)
        teaser = html.escape(article.summary or article.standfirst, quote=False)
        if notices:
            teaser = f"{notices}<p>{teaser}</p>" if teaser else notices
        if teaser:
            # The RSS Advisory Board's profile wants the description before content:encoded.
            add(item, "description", teaser)
        if article.access == "free":
            add(item, f"{{{CONTENT}}}encoded", notices + _absolute(article))
        if article.lead_image:
            _media(item, article.lead_image)

    return _RSS.piece(fill)


def feed(publication: Publication, public_url: str, items: Sequence[Item]) -> bytes:
    """The whole feed, newest first; the newest items that fit into `FEED_BYTES`."""
    fitting: list[Item] = []
    room = FEED_BYTES
    for item in items[:FEED_CAP]:
        room -= len(item.xml)
        if room < 0:
            break
        fitting.append(item)

    def fill(root: Any) -> None:
        add(root, "title", one_line(publication.name))
        add(root, "link", f"{address(public_url)}/")
        add(root, "description", one_line(publication.tagline or publication.name))
        add(root, "language", publication.language)
        if fitting:
            newest = max(item.updated_at for item in fitting)
            add(root, "lastBuildDate", _rfc822(newest))
        add(
            root,
            f"{{{ATOM}}}link",
            href=f"{address(public_url)}/feed.xml",
            rel="self",
            type="application/rss+xml",
        )

    channel = _RSS.piece(fill)
    return _RSS.join([b"<channel>", channel, *(item.xml for item in fitting), b"</channel>\n"])


def _notices(article: Article) -> str:
    """The correction notices as HTML, newest first, to stand above what they correct."""
    newest_first = sorted(article.corrections, key=lambda notice: notice.at, reverse=True)
    return "".join(
        f"<p><strong>{notice.kind.capitalize()} ({notice.at.astimezone(UTC):%Y-%m-%d}):</strong> "
        f"{html.escape(notice.text, quote=False)}</p>"
        for notice in newest_first
    )


def _absolute(article: Article) -> str:
    """The body's HTML with every address absolute: a feed has no base to resolve against."""
    body = legal(article.body_html)
    if not _NEEDS_BASE.search(body):
        return body
    whole = lxml_html.fragment_fromstring(body, create_parent="div")
    whole.make_links_absolute(article.url, resolve_base_href=False, handle_failures="ignore")
    text: str = lxml_html.tostring(whole, encoding="unicode")
    return text.removeprefix("<div>").removesuffix("</div>")


def _media(item: Any, image: LeadImage) -> None:
    """The largest prepared rendition with caption and credit (Media RSS 1.5.1)."""
    prepared = [rendition for rendition in image.renditions if rendition.name != "original"]
    best = next(iter(prepared or image.renditions), None)
    if best is None:
        return
    media = add(
        item,
        f"{{{MEDIA}}}content",
        url=address(best.url),
        fileSize=str(best.size),
        type=best.media_type,
        medium="image",
        width=str(best.width),
        height=str(best.height),
    )
    if described := one_line(image.caption or image.alt):
        add(media, f"{{{MEDIA}}}description", described, type="plain")
    if image.credit:
        add(media, f"{{{MEDIA}}}credit", one_line(image.credit))


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
