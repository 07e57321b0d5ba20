"""Sitemap rules and rendering: the news window, the archive files, the index and robots.txt. Pure.

Never lists a page that a search engine should not index, and never an update as if it were news.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.sitemap.domain.language import news_language
from services.sitemap.domain.markup import Frame, add, address, one_line, w3c
from shared.contracts.articles import Article, Status

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"

NEWS_WINDOW = timedelta(hours=48)
"""Google lists articles "created in the last two days"; counted from the original publication."""
NEWS_CAP = 1000
"""`<news:news>` elements in one sitemap, at most (Google)."""
ARCHIVE_CAP = 10_000
"""URLs in one archive file; the protocol allows 50,000, smaller files are cheaper to rewrite."""
URL_CAP = 2048
"""A `<loc>` must be shorter than this many characters (sitemaps.org)."""

_URLS = Frame(f"{{{SITEMAP}}}urlset", {None: SITEMAP}, {})
_NEWS_URLS = Frame(f"{{{SITEMAP}}}urlset", {None: SITEMAP, "news": NEWS}, {})
_INDEX = Frame(f"{{{SITEMAP}}}sitemapindex", {None: SITEMAP}, {})

# The publication's name is put in when the document is joined, so that a new name in publication.toml
# needs no entry rendered again. Text cannot imitate the mark: its `<` is always escaped.
_NAME_MARK = b"<news:name/>"
_PARENTHETICAL = re.compile(r"\s*\([^()]*\)\s*$")


def unindexable(article: Article) -> str | None:
    """The rule that keeps the article out of every sitemap; None where none does."""
    if article.status is not Status.PUBLISHED or article.published_at is None:
        return "the article is not public"
    if article.noindex:
        return "noindex"
    if article.canonical_url not in {None, "", article.url}:
        return "its canonical address is elsewhere"
    if len(address(article.url)) >= URL_CAP:
        return f"its address has {URL_CAP} characters or more"
    return None


def unnewsworthy(article: Article) -> str | None:
    """The rule that keeps the article out of the news sitemap, its age aside; None where none does."""
    if article.imported:
        return "it was published elsewhere before it came here"
    if "news_sitemap" in article.skip_outlets:
        return "left out by the editor"
    return unindexable(article)


def indexable(article: Article) -> bool:
    """Public, not `noindex`, its own canonical address, and an address that fits."""
    return unindexable(article) is None


def newsworthy(article: Article) -> bool:
    """May stand in the news sitemap while its 48 hours last."""
    return unnewsworthy(article) is None


def news_url(article: Article, publication_language: str) -> bytes:
    """The news sitemap's `<url>` of an article that is `newsworthy`."""
    published_at = article.published_at
    assert published_at is not None

    def fill(root: Any) -> None:
        url = _url(root, article)
        news = add(url, f"{{{NEWS}}}news")
        publication = add(news, f"{{{NEWS}}}publication")
        add(publication, f"{{{NEWS}}}name")
        language = news_language(article.language, publication_language)
        add(publication, f"{{{NEWS}}}language", language)
        add(news, f"{{{NEWS}}}publication_date", w3c(published_at))
        add(news, f"{{{NEWS}}}title", one_line(article.headline))

    return _NEWS_URLS.piece(fill)


def archive_url(article: Article) -> bytes:
    """The archive's `<url>` of an article that is `indexable`."""
    return _URLS.piece(lambda root: _url(root, article))


def _url(root: Any, article: Article) -> Any:
    url = add(root, f"{{{SITEMAP}}}url")
    add(url, f"{{{SITEMAP}}}loc", address(article.url))
    add(url, f"{{{SITEMAP}}}lastmod", w3c(article.updated_at))
    return url


def news_sitemap(pieces: Sequence[bytes], publication_name: str) -> bytes:
    """The whole file."""
    return named(_NEWS_URLS.join(pieces), publication_name)


def named(xml: bytes, publication_name: str) -> bytes:
    """Pieces with the publication's name put in. The name goes without trailing parentheses (Google)."""
    plain = _PARENTHETICAL.sub("", one_line(publication_name)) or one_line(publication_name)
    name = _NEWS_URLS.piece(lambda root: add(root, f"{{{NEWS}}}name", plain)).strip()
    return xml.replace(_NAME_MARK, name)


def archive(pieces: Sequence[bytes]) -> bytes:
    """One archive file."""
    return _URLS.join(pieces)


def index(files: Iterable[tuple[str, datetime]]) -> bytes:
    """The sitemap index: absolute address of each file and when that *file* last changed."""

    def one(url: str, modified: datetime) -> bytes:
        def fill(root: Any) -> None:
            sitemap = add(root, f"{{{SITEMAP}}}sitemap")
            add(sitemap, f"{{{SITEMAP}}}loc", address(url))
            add(sitemap, f"{{{SITEMAP}}}lastmod", w3c(modified))

        return _INDEX.piece(fill)

    return _INDEX.join(one(url, modified) for url, modified in files)


def robots(public_url: str) -> bytes:
    """What crawlers may read and where the sitemaps are (RFC 9309; absolute `Sitemap` lines)."""
    origin = address(public_url)
    lines = (
        "User-agent: *",
        "Disallow: /console",
        "Disallow: /api",
        "",
        f"Sitemap: {origin}/sitemap.xml",
        f"Sitemap: {origin}/news-sitemap.xml",
    )
    return ("\n".join(lines) + "\n").encode()
