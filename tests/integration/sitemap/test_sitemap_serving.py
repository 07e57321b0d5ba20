"""What crawlers and feed readers get: conditional answers, both encodings, and nothing past its 48 hours."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import pytest
from lxml import etree

from shared.contracts.articles import Article
from shared.storage.client import Database

pytestmark = pytest.mark.integration

Make = Callable[..., Article]
Start = Callable[[Database], Awaitable[Any]]
PATHS = ("/news-sitemap.xml", "/sitemap.xml", "/feed.xml", "/robots.txt")
PLAIN = {"Accept-Encoding": "identity"}


async def test_before_the_first_article_everything_answers(replica: Any) -> None:
    for path in PATHS:
        response = await replica.client.get(path)
        assert response.status == 200, path
        if path != "/robots.txt":
            etree.fromstring(await response.read())
    types = [(await replica.client.get(path)).headers["Content-Type"] for path in PATHS]
    assert types == [
        "application/xml; charset=utf-8",
        "application/xml; charset=utf-8",
        "application/rss+xml; charset=utf-8",
        "text/plain; charset=utf-8",
    ]
    assert "/news-sitemap.xml" in await replica.text("/sitemap.xml")
    for path in ("/sitemaps/articles-1.xml", "/sitemaps/articles-0.xml", "/sitemaps/x.xml"):
        assert (await replica.client.get(path)).status == 404


@pytest.mark.parametrize("path", PATHS)
async def test_conditional_requests(replica: Any, make_article: Make, path: str) -> None:
    await replica.handle(make_article(1))
    await replica.sitemaps.refresh()
    plain = await replica.client.get(path, headers=PLAIN)
    etag, modified = plain.headers["ETag"], plain.headers["Last-Modified"]
    body = await plain.read()
    for validator in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"other", W/{etag}'},
        {"If-Modified-Since": modified},
        {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ):
        for method in ("GET", "HEAD"):
            answer = await replica.client.request(method, path, headers=PLAIN | validator)
            assert answer.status == 304, validator
            assert answer.headers["ETag"] == etag
            assert await answer.read() == b""
    for validator in (
        {"If-None-Match": '"other"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        answer = await replica.client.get(path, headers=PLAIN | validator)
        assert answer.status == 200, validator
        assert await answer.read() == body
    head = await replica.client.head(path, headers=PLAIN)
    assert head.headers["Content-Length"] == str(len(body))
    assert await head.read() == b""


async def test_gzip_has_the_same_content_and_its_own_etag(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article(1))
    plain = await replica.client.get("/feed.xml", headers=PLAIN)
    replica.client.session._auto_decompress = False
    zipped = await replica.client.get("/feed.xml", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    assert gzip.decompress(await zipped.read()) == await plain.read()


async def test_last_modified_moves_only_with_the_bytes(
    replica: Any, start_replica: Start, database: Database, make_article: Make
) -> None:
    await replica.handle(make_article(1))
    await replica.sitemaps.refresh()
    before = {path: (await replica.client.get(path)).headers for path in PATHS}
    replica.clock.advance(60)
    await replica.handle(make_article(1))
    await replica.sitemaps.refresh()
    restarted = await start_replica(database)
    for path in PATHS:
        for one in (replica, restarted):
            now = (await one.client.get(path)).headers
            assert now["Last-Modified"] == before[path]["Last-Modified"], path
            assert now["ETag"] == before[path]["ETag"], path
    await replica.handle(make_article(1, 2))
    await replica.sitemaps.refresh()
    for path in ("/news-sitemap.xml", "/feed.xml", "/sitemap.xml"):
        now = (await restarted.client.get(path)).headers
        assert now["Last-Modified"] == format_datetime(replica.clock.now(), usegmt=True), path
        assert now["ETag"] != before[path]["ETag"], path


async def test_an_entry_lasts_48_hours_to_the_second(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article(1))
    await replica.handle(make_article(2))
    published_at = make_article(2).published_at
    assert published_at
    age = (replica.clock.now() - published_at).total_seconds()
    replica.clock.advance(48 * 3600 - age - 1)  # 47:59:59
    assert "story-2<" in await replica.text("/news-sitemap.xml")
    replica.clock.advance(1)  # 48:00:00
    news = await replica.client.get("/news-sitemap.xml")
    text = await news.text()
    assert "story-2<" not in text
    assert "story-1<" in text
    assert parsedate_to_datetime(news.headers["Last-Modified"]) == replica.clock.now()
    await replica.sitemaps.refresh()
    assert "story-2<" in await replica.text("/sitemaps/articles-1.xml")
    replica.clock.advance(1)
    empty = etree.fromstring((await replica.text("/news-sitemap.xml")).encode())
    assert len(empty) == 0


async def test_an_update_never_brings_an_old_article_back(replica: Any, make_article: Make) -> None:
    old = replica.clock.now() - timedelta(hours=48)
    await replica.handle(make_article(1, published_at=old, updated_at=replica.clock.now()))
    assert "story-1" not in await replica.text("/news-sitemap.xml")
    await replica.sitemaps.refresh()
    assert "story-1" in await replica.text("/sitemaps/articles-1.xml")


async def test_the_loop_sleeps_until_the_oldest_expires(replica: Any, make_article: Make) -> None:
    assert await replica.sitemaps.refresh() == 30
    article = make_article(1, published_at=replica.clock.now() - timedelta(hours=48, seconds=-12))
    await replica.handle(article)
    assert await replica.sitemaps.refresh() == 12
    replica.clock.advance(12)
    assert await replica.sitemaps.refresh() == 30
    assert "story-1" not in await replica.text("/news-sitemap.xml")


async def test_a_start_recomputes_what_expired_meanwhile(
    replica: Any, start_replica: Start, database: Database, make_article: Make
) -> None:
    await replica.handle(make_article(1))
    replica.clock.advance(48 * 3600)
    await start_replica(database)
    row = await database["documents"].find_one({"_id": "news-sitemap"})
    assert row
    assert b"story-1" not in gzip.decompress(row["gzipped"])


async def test_at_most_a_thousand_and_fifty(
    replica: Any, make_article: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sitemap.domain.sitemaps.NEWS_CAP", 60)
    for number in range(64, 0, -1):
        await replica.handle(make_article(number))
    news, feed = await replica.text("/news-sitemap.xml"), await replica.text("/feed.xml")
    assert news.count("<url>") == 60
    assert feed.count("<item>") == 50
    assert "story-60<" in news
    assert "story-61<" not in news
    assert "story-50<" in feed
    assert "story-51<" not in feed
    reported = len(await replica.reports())
    await replica.handle(make_article(62, 2))
    assert b'"lines":[]' in (await replica.reports())[reported].body
