"""Previews of social posts: what the worker then freezes, per account, and nothing written, here or outside."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.social import app as social
from services.social.previews import Previews
from shared.contracts.articles import Article, Correction, LeadImage, Rendition
from shared.contracts.identity import Role
from shared.storage.client import Database


async def preview(process: Any, article: Article, **more: Any) -> dict[str, dict[str, Any]]:
    """The line of each outlet."""
    body = {"article": article.model_dump(mode="json"), "acted_at": process.clock.now().isoformat()}
    more.setdefault("role", Role.CONTRIBUTOR)
    answer = await process.call("POST", "/api/v1/previews/social", body, **more)
    assert answer.status == 200, answer.text
    return {line["outlet"]: line for line in answer.body["outlets"]}


async def everything(database: Database) -> dict[str, list[Any]]:
    names = await database.collection_names()
    return {name: await database[name].find({}, sort=[("_id", 1)]) for name in names}


def timeless(payload: Any) -> Any:
    """Without what carries the moment of composing; the keys of the delivery stay."""
    if isinstance(payload, dict):
        moments = {"composed_at", "createdAt", "rkey"}
        return {name: timeless(value) for name, value in payload.items() if name not in moments}
    return payload


async def settled(process: Any, count: int) -> bool:
    items = await process.deliveries()
    return len(items) >= count and all(item["state"] == "confirmed" for item in items)


async def test_the_worker_freezes_what_was_shown(
    connected: Any, world: Any, eventually: Any, database: Database
) -> None:
    first = world.article(connected.clock, tags=("ferry",), social={"bluesky": "It sails!"})
    before = await everything(database)
    lines = await preview(connected, first)
    assert await everything(database) == before
    assert world.posts("mastodon") + world.posts("bluesky") == []
    await connected.publish(first)
    await eventually(lambda: settled(connected, 2))
    now = connected.clock.now()
    notice = Correction(at=now, kind="correction", text="It sails at nine.")
    second = first.model_copy(update={"revision": 2, "corrections": (notice,)})
    edits = await preview(connected, second)
    assert edits["social/mastodon/main"]["effect"] == "edited"
    assert edits["social/bluesky/main"]["effect"] == "replied"
    assert edits["social/bluesky/main"]["url"]
    await connected.publish(second)
    await eventually(lambda: settled(connected, 4))
    for line in (*lines.values(), *edits.values()):
        frozen = (await connected.delivery(line["delivery"])).body["payload"]["body"]
        assert timeless(frozen) == timeless(line["payload"])
        assert 0 < line["length"] <= line["limit"]
        assert line["text"] in str(frozen.get("status") or frozen["record"]["text"])
    for channel in ("mastodon", "bluesky"):
        assert world.posts(channel)[0] in {
            lines[f"social/{channel}/main"]["text"],
            edits[f"social/{channel}/main"]["text"],
        }
    minor = second.model_copy(update={"revision": 3, "body": "Other.", "body_html": "<p>O</p>"})
    same = await preview(connected, minor)
    assert {line["operation"] for line in same.values()} == {"none"}
    assert same["social/mastodon/main"]["reason"] == "nothing to change here"
    # Its readers would see no edit, so nothing is the network's default for a minor change.
    assert same["social/bluesky/main"]["reason"] == "left as it is, by the account's policy"


async def test_paused_accounts_are_shown_and_marked(connected: Any, world: Any) -> None:
    await connected.call("POST", "/api/v1/channels/mastodon/main/pause", {"reason": "wrong logo"})
    article = world.article(connected.clock)
    lines = await preview(connected, article)
    assert lines["social/mastodon/main"]["paused"] == {
        "scope": "mastodon/main",
        "reason": "wrong logo",
    }
    assert lines["social/mastodon/main"]["payload"]["status"]
    assert "paused" not in lines["social/bluesky/main"]
    wide = {"scope": f"article:{article.id}", "reason": "the lawyers read it"}
    await connected.call("POST", "/api/v1/channels/pause", wide)
    assert "paused" in (await preview(connected, article))["social/bluesky/main"]


async def test_a_skipped_account_and_a_late_one_say_why(connected: Any, world: Any) -> None:
    article = world.article(connected.clock, skip_outlets=("social/bluesky",))
    connected.clock.advance(minutes=5)
    await connected.connect("mastodon", world.account("mastodon"), "second")
    lines = await preview(connected, article)
    assert lines["social/bluesky/main"] == {
        "outlet": "social/bluesky/main",
        "operation": "none",
        "effect": "nothing",
        "reason": "left out by the editor",
    }
    late = lines["social/mastodon/second"]
    assert (late["operation"], "connected after" in late["reason"]) == ("none", True)


async def test_a_network_that_is_away_is_told_and_the_others_answer(
    start: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hurried(*parts: Any) -> Previews:
        return Previews(*parts, compose_seconds=0.3)

    monkeypatch.setattr(social, "Previews", hurried)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    process = await start(working=False)
    await process.connect("mastodon", world.account("mastodon"))
    down = {**world.account("mastodon"), "server": "http://127.0.0.1:1"}
    await process.connect("mastodon", down, "down")
    slow = {**world.account("bluesky"), "server": f"http://127.0.0.1:{port}"}
    await process.connect("bluesky", slow, "slow")
    dead = {**world.account("bluesky"), "app_password": "of-somebody-else"}
    await process.connect("bluesky", dead, "dead")
    lines = await preview(process, world.article(process.clock))
    silent.close()
    assert lines["social/mastodon/main"]["payload"]
    assert lines["social/mastodon/down"]["error"].startswith("cannot connect")
    assert lines["social/bluesky/slow"]["error"] == "no answer within 0.3 seconds"
    assert lines["social/bluesky/dead"]["error"]
    for name in ("mastodon/down", "bluesky/slow", "bluesky/dead"):
        assert "payload" not in lines[f"social/{name}"]
        assert "paused" not in lines[f"social/{name}"]
    listed = (await process.call("GET", "/api/v1/channels")).body["items"]
    assert all(item["paused"] is None for item in listed)  # only a real delivery pauses an account


async def test_no_picture_is_fetched_from_elsewhere(
    connected: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def listener(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append("somebody came")
        writer.close()

    server = await asyncio.start_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for url in (
        f"http://127.0.0.1:{port}/media/a/w800.jpg",
        f"{world.site}@127.0.0.1:{port}/media/a/w800.jpg",
    ):
        size = {"width": 800, "height": 600, "media_type": "image/jpeg", "size": 1000}
        rendition = Rendition(name="w800", url=url, **size)  # type: ignore[arg-type]
        image = LeadImage(media_id="m", alt="x", renditions=(rendition,))
        lines = await preview(connected, world.article(connected.clock, lead_image=image))
        for line in lines.values():
            assert line["error"] == "the image is not at one of our own addresses"
    server.close()
    assert asked == []


async def test_whoever_may_read_may_preview_and_nobody_else(desk: Any, world: Any) -> None:
    await preview(desk, world.article(desk.clock), role=Role.CONTRIBUTOR)
    nobody = await desk.call("POST", "/api/v1/previews/social", {}, role=None)
    assert (nobody.status, nobody.field) == (401, "Authorization")


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://[::1"},
        {"url": ""},
        {"language": "not a language"},
        {"slug": "/../x"},
        {"published_at": "9999-12-31T23:59:59Z"},
        {"status": "draft"},
        {"publication": 0},
        {"headline": "", "standfirst": ""},
    ],
)
async def test_an_odd_snapshot_is_shown_or_refused_and_never_our_error(
    connected: Any, world: Any, changes: dict[str, Any]
) -> None:
    article = world.article(connected.clock).model_dump(mode="json") | changes
    body = {"article": article, "acted_at": "9999-12-31T23:59:59Z"}
    answer = await connected.call("POST", "/api/v1/previews/social", body)
    assert answer.status in {200, 422}
    assert answer.status == 200 or answer.field == "article"
