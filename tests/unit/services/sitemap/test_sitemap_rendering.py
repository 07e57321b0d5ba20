"""Sitemaps against the rules as a schema, with whatever editors can type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.sitemap.domain import sitemaps
from services.sitemap.domain.markup import one_line
from shared.contracts.articles import Article, Status

NS = {"s": sitemaps.SITEMAP, "n": sitemaps.NEWS}
Make = Callable[..., Article]

zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.datetimes(
    min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=zones
)
visible = st.text(min_size=1, max_size=80).filter(one_line)


def test_a_news_entry_says_what_google_asks_for(make_article: Make, sitemap_schema: Any) -> None:
    article = make_article(
        headline="Fish & chips <again>", updated_at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    )
    tree = etree.fromstring(
        sitemaps.news_sitemap([sitemaps.news_url(article, "en")], "The Courier (registration)")
    )
    sitemap_schema.assertValid(tree)

    def text(path: str) -> str:
        return str(tree.findtext(path, namespaces=NS))

    assert text("s:url/s:loc") == article.url
    assert text("s:url/s:lastmod") == "2026-11-23T12:00:00+00:00"
    assert text("s:url/n:news/n:publication/n:name") == "The Courier"
    assert text("s:url/n:news/n:publication/n:language") == "en"
    assert text("s:url/n:news/n:publication_date") == "2026-11-23T09:30:00+00:00"
    assert text("s:url/n:news/n:title") == "Fish & chips <again>"


@given(visible, visible, moments, st.sampled_from(["en-US", "zh-Hant-TW", "ar", "x-odd"]))
def test_whatever_is_typed_the_file_obeys_the_rules(
    make_article: Make,
    sitemap_schema: Any,
    headline: str,
    slug: str,
    published_at: datetime,
    language: str,
) -> None:
    article = make_article(
        headline=headline,
        url=f"https://news.example/articles/{slug}",
        language=language,
        published_at=published_at,
    )
    tree = etree.fromstring(
        sitemaps.news_sitemap([sitemaps.news_url(article, "en")], "The Courier")
    )
    sitemap_schema.assertValid(tree)
    assert tree.findtext(".//n:title", namespaces=NS) == one_line(headline)
    printed = datetime.fromisoformat(tree.findtext(".//n:publication_date", namespaces=NS))
    assert printed == published_at.astimezone(UTC).replace(microsecond=0)
    sitemap_schema.assertValid(etree.fromstring(sitemaps.archive([sitemaps.archive_url(article)])))


@given(visible)
def test_any_publication_name_is_put_in_everywhere(make_article: Make, name: str) -> None:
    titles = ["<news:name/>", "plain"]
    pieces = [sitemaps.news_url(make_article(headline=title), "en") for title in titles]
    tree = etree.fromstring(sitemaps.news_sitemap(pieces, name))
    names = {element.text for element in tree.iterfind(".//n:name", NS)}
    assert len(names) == 1
    assert one_line(name).startswith(names.pop())
    assert [e.text for e in tree.iterfind(".//n:title", NS)] == titles


def test_empty_files_are_valid(sitemap_schema: Any) -> None:
    sitemap_schema.assertValid(etree.fromstring(sitemaps.news_sitemap([], "The Courier")))
    sitemap_schema.assertValid(etree.fromstring(sitemaps.archive([])))


def test_a_thousand_entries_are_valid(make_article: Make, sitemap_schema: Any) -> None:
    pieces = [
        sitemaps.news_url(make_article(url=f"https://news.example/articles/{n}"), "en")
        for n in range(sitemaps.NEWS_CAP)
    ]
    tree = etree.fromstring(sitemaps.news_sitemap(pieces, "The Courier"))
    sitemap_schema.assertValid(tree)
    assert len(tree) == sitemaps.NEWS_CAP


def test_the_schema_refuses_what_the_rules_forbid(make_article: Make, sitemap_schema: Any) -> None:
    right = sitemaps.news_sitemap([sitemaps.news_url(make_article(), "en")], "The Courier")
    for broken in (
        right.replace(b">en<", b">en-US<"),
        right.replace(b"+00:00</news", b"</news"),
        right.replace(b"https://", b"/"),
        right.replace(b"The harbour opens", b""),
        right.replace(b"Courier<", b"Courier (free)<"),
    ):
        assert broken != right
        assert not sitemap_schema.validate(etree.fromstring(broken))


@pytest.mark.parametrize(
    "changes",
    [
        {"noindex": True},
        {"canonical_url": "https://elsewhere.example/story"},
        {"status": Status.RETRACTED},
        {"status": Status.UNPUBLISHED},
        {"status": Status.DRAFT},
        {"published_at": None},
        {"url": "https://news.example/articles/" + "a" * 2048},
    ],
)
def test_what_no_sitemap_lists(make_article: Make, changes: dict[str, Any]) -> None:
    article = make_article(**changes)
    assert not sitemaps.indexable(article)
    assert not sitemaps.newsworthy(article)


def test_an_editor_can_keep_it_out_of_the_news_only(make_article: Make) -> None:
    article = make_article(skip_outlets=("news_sitemap",))
    assert sitemaps.indexable(article)
    assert not sitemaps.newsworthy(article)


def test_its_own_address_as_canonical_is_not_elsewhere(make_article: Make) -> None:
    article = make_article()
    assert sitemaps.newsworthy(article.model_copy(update={"canonical_url": article.url}))


def test_the_index_lists_files_with_their_own_change(sitemap_schema: Any) -> None:
    moment = datetime(2026, 11, 23, 9, 30, 5, 900_000, tzinfo=UTC)
    tree = etree.fromstring(sitemaps.index([("https://news.example/news-sitemap.xml", moment)]))
    sitemap_schema.assertValid(tree)
    assert tree.findtext("s:sitemap/s:lastmod", namespaces=NS) == "2026-11-23T09:30:05+00:00"


def test_robots_names_absolute_sitemaps_and_keeps_crawlers_out_of_the_desk() -> None:
    lines = sitemaps.robots("https://news.example").decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /console", "Disallow: /api"} <= set(lines)
    assert [line for line in lines if line.startswith("Sitemap:")] == [
        "Sitemap: https://news.example/sitemap.xml",
        "Sitemap: https://news.example/news-sitemap.xml",
    ]
