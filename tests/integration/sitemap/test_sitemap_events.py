"""Events in any order, any number of times, on any replica: the documents come out the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from shared.contracts.articles import Article, Status
from shared.contracts.events import read_event, write_event
from shared.contracts.identity import TokenRevoked
from shared.contracts.outlets import OutletReported
from shared.runtime.ids import new_token
from shared.storage.client import Database, open_client

pytestmark = pytest.mark.integration

Make = Callable[..., Article]
Start = Callable[[Database], Awaitable[Any]]
PATHS = ("/news-sitemap.xml", "/feed.xml", "/sitemaps/articles-1.xml")


async def documents(replica: Any) -> dict[str, str]:
    await replica.sitemaps.refresh()
    return {path: await replica.text(path) for path in PATHS}


async def lines(replica: Any) -> list[tuple[str, str]]:
    found = []
    for message in await replica.reports():
        report = read_event(message.body).data
        assert isinstance(report, OutletReported)
        found += [(line.delivery.split(":", 1)[1], line.url or "") for line in report.lines]
    return found


async def test_publish_correct_and_retract(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article(1))
    news, feed = await replica.text("/news-sitemap.xml"), await replica.text("/feed.xml")
    assert "<loc>https://news.example/articles/story-1</loc>" in news
    assert "The Example Courier" in news
    assert "Story 1, revision 1" in feed
    await replica.handle(make_article(1, 2))
    assert "Story 1, revision 2" in await replica.text("/news-sitemap.xml")
    assert "Story 1, revision 2" in (await documents(replica))["/feed.xml"]
    assert "story-1" in await replica.text("/sitemaps/articles-1.xml")
    await replica.handle(make_article(1, 3, status=Status.RETRACTED))
    for path, text in (await documents(replica)).items():
        assert "story-1" not in text, path
    here = {"news_sitemap": "news-sitemap.xml", "feed": "feed.xml"}
    assert await lines(replica) == [
        (f"{outlet}:{operation}:{revision}", f"https://news.example/{here[outlet]}")
        for revision, operation in ((1, "include"), (2, "edit"), (3, "remove"))
        for outlet in ("feed", "news_sitemap")
    ]


async def test_any_order_equals_built_from_scratch(
    replica: Any, start_replica: Start, make_article: Make, mongod: Any
) -> None:
    newest = {number: 1 + number % 4 for number in range(1, 13)}
    last: dict[int, dict[str, Any]] = {
        3: {"status": Status.UNPUBLISHED},
        5: {"noindex": True},
        6: {"skip_outlets": ("news_sitemap",)},
        7: {"status": Status.RETRACTED},
        10: {"canonical_url": "https://elsewhere.example/"},
    }

    def snapshot(number: int, revision: int) -> Article:
        changes = last.get(number, {}) if revision == newest[number] else {}
        return make_article(number, revision, **changes)

    history = [snapshot(n, r) for n, top in newest.items() for r in range(1, top + 1)]
    shuffled = history * 3
    random.Random(7).shuffle(shuffled)
    await asyncio.gather(*(replica.handle(article) for article in shuffled))
    messy = await documents(replica)
    for article in history:
        await replica.handle(article)
    assert await documents(replica) == messy

    async with open_client(mongod.url) as databases:
        fresh = databases(f"test_{new_token()}")
        scratch = await start_replica(fresh)
        for number, top in newest.items():
            await scratch.handle(snapshot(number, top))
        assert await documents(scratch) == messy
        await fresh.drop()
    assert messy["/news-sitemap.xml"].count("<url>") == 7
    assert messy["/feed.xml"].count("<item>") == 10
    assert messy["/sitemaps/articles-1.xml"].count("<url>") == 8


async def test_a_replayed_event_repeats_its_lines_without_a_new_time(
    replica: Any, make_article: Make
) -> None:
    await replica.handle(make_article(1))
    await replica.handle(make_article(1))
    first, second = [orjson.loads(message.body)["data"] for message in await replica.reports()]
    assert [line["delivery"] for line in first["lines"]] == [
        line["delivery"] for line in second["lines"]
    ]
    assert all(line["milliseconds"] == 1000 for line in first["lines"])
    assert all("milliseconds" not in line for line in second["lines"])


async def test_two_replicas_at_once_leave_complete_documents(
    start_replica: Start, database: Database, make_article: Make
) -> None:
    replicas = [await start_replica(database) for _ in range(2)]
    await asyncio.gather(
        *(replicas[n % 2].handle(make_article(n)) for n in range(1, 41)),
        *(replicas[(n + 1) % 2].handle(make_article(n, 2)) for n in range(1, 41)),
    )
    # No refresh in between: news and feed must be complete by the time the handlers returned.
    for one in replicas:
        news, feed = await one.text("/news-sitemap.xml"), await one.text("/feed.xml")
        for number in range(1, 41):
            assert f"<loc>https://news.example/articles/story-{number}</loc>" in news
            assert f"Story {number}, revision 2</title>" in feed
    await asyncio.gather(*(one.sitemaps.refresh() for one in replicas))
    archive = await replicas[0].text("/sitemaps/articles-1.xml")
    assert archive.count("<url>") == 40


async def test_what_a_crash_left_half_done_is_finished(
    replica: Any, make_article: Make, database: Database
) -> None:
    """The entry of revision 2 was written, its documents were not; revision 3 touches neither."""
    await replica.handle(make_article(1))
    await database["entries"].update_one(
        {"_id": make_article(1).id},
        {"$set": {"revision": 2}, "$unset": {"news": "", "item": ""}},
    )
    assert "story-1" in await replica.text("/news-sitemap.xml")
    await replica.handle(make_article(1, 3, status=Status.UNPUBLISHED))
    assert "story-1" not in await replica.text("/news-sitemap.xml")
    assert "story-1" not in await replica.text("/feed.xml")


async def test_a_document_left_stale_is_rebuilt(
    replica: Any, make_article: Make, database: Database
) -> None:
    await replica.handle(make_article(1))
    await database["documents"].update_one({"_id": "feed"}, {"$inc": {"seq": 1}})
    await database["entries"].update_one({"_id": make_article(1).id}, {"$unset": {"item": ""}})
    await replica.sitemaps.refresh()
    assert "story-1" not in await replica.text("/feed.xml")


async def test_archive_files_fill_up_and_never_move(
    replica: Any, make_article: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sitemap.domain.sitemaps.ARCHIVE_CAP", 3)
    for number in range(1, 8):
        await replica.handle(make_article(number))
        await replica.sitemaps.refresh()
    files = [await replica.text(f"/sitemaps/articles-{file}.xml") for file in (1, 2, 3)]
    assert [text.count("<url>") for text in files] == [3, 3, 1]
    await replica.handle(make_article(7, 2, noindex=True))
    await replica.handle(make_article(1, 2, status=Status.UNPUBLISHED))
    await replica.sitemaps.refresh()
    index = await replica.text("/sitemap.xml")
    assert "articles-2.xml" in index
    assert "articles-3.xml" not in index
    await replica.handle(make_article(1, 3))
    await replica.sitemaps.refresh()
    assert "story-1" in await replica.text("/sitemaps/articles-1.xml")
    assert files[1] == await replica.text("/sitemaps/articles-2.xml")


async def test_a_revoked_token_is_remembered(replica: Any, database: Database) -> None:
    now = replica.clock.now()
    data = TokenRevoked(token_id="t1", expires_at=now)
    event = write_event(data, id="e1", source="/test", subject="t1", time=now)
    await replica.service.subscriptions[0][1](event)
    assert await database["revoked_tokens"].find_one({"_id": "t1"})
