"""Imported articles are on the site, in feed and archive, under old and new addresses, and nobody is told."""

from __future__ import annotations

import asyncio
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

MAP = ("--section-map", "lokales=city")


async def test_they_are_everywhere_and_nobody_hears_of_it(
    whole: Any, wordpress: Any, tmp_path: Path
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{whole.sandbox_url}/accounts") as answer,
    ):
        account = (await answer.json())["mastodon"]
    async with whole.client() as client:
        channel = {"channel": "mastodon", "name": "main", "settings": account}
        await client.call("POST", "/api/v1/channels", channel)
        reader = {
            "email": "r@readers.example",
            "lists": ["alerts"],
            "confirmed": True,
            "consent": "paper",
        }
        await client.call("POST", "/api/v1/subscribers", reader)
        hook = {"name": "partner", "url": f"{whole.url}/healthz"}
        await client.call("POST", "/api/v1/webhooks", hook)
        told = await whole.herald("import", wordpress(40), *MAP, "--report", tmp_path / "r.json")
        assert told.code == 0, told.err

        # And one that is younger than the account, the reader and the partner.
        fresh = {"headline": "Just now", "body": "x", "section": "city", "bylines": ["Ana"]}
        fresh |= {"status": "published", "published_at": datetime.now(UTC).isoformat()}
        await client.call("PUT", "/api/v1/imports/old.example/now", fresh)

        found = await client.call("GET", "/api/v1/articles?status=published&limit=100")
        assert len(found["items"]) == 38
        async with asyncio.timeout(30):
            for one in found["items"]:
                while not (board := await client.fanout(one["id"]))["settled"]:
                    await asyncio.sleep(0.1)
                assert {line["outlet"] for line in board["items"]} <= {"site", "feed"}
        for path in ("/api/v1/deliveries", "/api/v1/notifications/deliveries", "/api/v1/campaigns"):
            assert (await client.call("GET", path))["items"] == []

        status, front = await client.page("/")
        assert (status, "/articles/story-40" in front) == (200, True)
        status, news = await client.page("/news-sitemap.xml")
        assert "/articles/" not in news
        assert "/articles/story-40" in (await client.page("/feed.xml"))[1]

    async with aiohttp.ClientSession() as session:
        for old in ("/2014/03/story-10", "/2014/03/old-story-10/", "/?p=10"):
            async with session.get(f"{whole.url}{old}", allow_redirects=False) as answer:
                assert answer.status == 301, old
                assert answer.headers["Location"] == f"{whole.url}/articles/story-10"
        async with session.get(f"{whole.url}/?p=11", allow_redirects=False) as answer:
            assert answer.status == 200  # a draft: its old address tells nothing


async def test_pictures_come_from_a_zip_or_from_the_old_site(
    desk: Any, wordpress: Any, tmp_path: Path
) -> None:
    source, report = wordpress(24), tmp_path / "report.json"
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "export.xml").write_bytes(source.read_bytes())
    told = await desk.herald("import", alone / "export.xml", *MAP, "--report", report)
    assert told.code == 0, told.err
    missing = orjson.loads(report.read_bytes())["missing_pictures"]
    assert len(missing) == 20  # 12 lead images, 8 of them also as a variant in a body
    assert all("--fetch-images" in reason for reason in missing.values())
    assert await desk.count("media") == 0

    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in source.parent.rglob("*.*"):
            archive.write(file, file.relative_to(source.parent))
    told = await desk.herald("import", packed, *MAP, "--report", report)
    assert told.code == 0, told.err
    done = orjson.loads(report.read_bytes())
    assert done["missing_pictures"] == {}
    assert done["outcomes"] == {"updated": 24}
    assert await desk.count("media") == 12
    async with desk.client() as client:
        item = (await client.call("GET", "/api/v1/exports/articles?limit=1"))["items"][0]
        assert "](/media/" in item["article"]["body"]
        assert item["article"]["lead_image"]["alt"].startswith("Alt ")


async def test_pictures_are_fetched_only_from_where_they_may_be(
    desk: Any, wordpress: Any, tmp_path: Path
) -> None:
    source, report, asked = wordpress(12), tmp_path / "report.json", []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        name = request.path.rpartition("/")[2].replace("-300x200", "")
        if name == "pic-1.jpg":
            raise web.HTTPFound("http://169.254.169.254/latest/meta-data")
        if name == "pic-2.jpg":
            return web.Response(body=b"<svg/>", content_type="image/svg+xml")
        if name == "pic-3.jpg":
            raise web.HTTPNotFound
        path = source.parent / "wp-content/uploads/2014/03" / name
        return web.Response(body=path.read_bytes(), content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    async with TestServer(app, host="127.0.0.1") as server:
        text = source.read_text().replace("https://old.example", f"http://127.0.0.1:{server.port}")
        alone = tmp_path / "alone" / "export.xml"
        alone.parent.mkdir()
        alone.write_text(text)
        command = ("import", alone, *MAP, "--source", "old", "--fetch-images", "--report", report)
        told = await desk.herald(*command)
        assert told.code == 0, told.err
        assert asked == []  # a private address unless it is named
        told = await desk.herald(*command, "--private-host", "127.0.0.1")
        assert told.code == 0, told.err
    missing = orjson.loads(report.read_bytes())["missing_pictures"]
    reasons = {
        address.rpartition("/")[2].replace("-300x200", ""): why for address, why in missing.items()
    }
    assert set(reasons) == {"pic-1.jpg", "pic-2.jpg", "pic-3.jpg"}
    assert "private" in reasons["pic-1.jpg"]
    assert "404" in reasons["pic-3.jpg"]
    assert await desk.count("media") == 9


@pytest.mark.parametrize("kind", [None, "markdown"])
async def test_a_folder_of_markdown(desk: Any, tmp_path: Path, kind: str | None) -> None:
    told = await desk.herald("import", Path("examples"), *(("--kind", kind) if kind else ()))
    assert told.code == 0, told.err
    assert await desk.count() == 5
    assert await desk.count("media") == 5
    hugo = tmp_path / "content"
    hugo.mkdir()
    (hugo / "one.md").write_text(
        "---\ntitle: One\ndate: 2019-05-03\ncategories: [City]\nauthor: Ana\naliases: [/old/one]\n"
        "image: dusk.jpg\n---\nText ![dusk](dusk.jpg).\n"
    )
    (hugo / "dusk.jpg").write_bytes(Path("examples/images/harbour-dusk.jpg").read_bytes())
    told = await desk.herald("import", hugo, "--source", "blog")
    assert told.code == 0, told.err
    async with desk.client() as client:
        items = (await client.call("GET", "/api/v1/exports/articles"))["items"]
        one = next(item["article"] for item in items if item["external_id"] == "one")
    assert (one["status"], one["section"], one["bylines"]) == (
        "published",
        "city",
        [{"author": "ana"}],
    )
    assert one["former_paths"] == ["/old/one"]
    assert one["body"].startswith("Text ![dusk](/media/")


async def test_an_export_will_not_overwrite_a_folder_of_something_else(
    desk: Any, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    told = await desk.herald("export", tmp_path)
    assert told.code == 1
    assert "is not empty" in told.err
    told = await desk.herald("export", tmp_path / "new", "--status", "nonsense")
    assert told.code == 1
    assert (tmp_path / "notes.txt").read_text() == "mine"
