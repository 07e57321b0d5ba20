"""What the preview shows is what is sent: the whole stack under a clock that stands still, byte for byte.

The only things that differ are a mail's recipient and what derives from it: To, Message-ID, the MIME
boundary and the signature of the link to leave.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestServer
from PIL import Image

from services.social.channels import discover
from services.social.sandbox.app import Sandbox
from services.standalone import stack as standalone
from services.standalone.client import HeraldClient
from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.contracts.outlets import DeliveryState
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_token
from shared.storage.client import open_client

FINAL = {state.value for state in DeliveryState if state.final}
SERVICES = ("publishing", "social", "sitemap", "notifications", "site")
PLACEHOLDER = "reader@example.org"
NETWORKS = [name for name, spec in discover().items() if spec.capabilities.delete]
"""Where nothing waits for a person, so that a retraction comes to rest."""


class StandingClock(SystemClock):
    """Stands still until the test moves it on; sleeping takes real time."""

    def __init__(self) -> None:
        self.instant = super().now()

    def now(self) -> datetime:
        return self.instant


@dataclass
class Newsroom:
    """The stack, what its outlets received, and one editor."""

    client: HeraldClient
    http: aiohttp.ClientSession
    url: str
    mail_dir: Path
    clock: StandingClock
    stack: Stack
    mongod: Mongod
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path and JSON of every call that changes something on a network."""
    hooks: list[tuple[str, bytes]] = field(default_factory=list)

    async def preview(self, article_id: str, body: Any = None) -> dict[str, Any]:
        path = f"/api/v1/articles/{article_id}/preview"
        shown: dict[str, Any] = await self.client.call("POST", path, body)
        assert shown["unavailable"] == []
        return shown

    async def act(self, article_id: str, act: str, body: Any = None) -> None:
        """Do it, and wait until every outlet has settled, while no time passes."""
        path = f"/api/v1/articles/{article_id}"
        revision = (await self.client.call("GET", path))["revision"]
        await self.client.call("POST", f"{path}/{act}", body, revision=revision)
        async with asyncio.timeout(20):
            while True:
                board = await self.client.call("GET", f"/api/v1/articles/{article_id}/fanout")
                if board["settled"]:
                    return
                await asyncio.sleep(0.05)

    async def page(self, path: str) -> tuple[int, bytes]:
        async with self.http.get(self.url + path) as answer:
            return answer.status, await answer.read()

    async def payload(self, delivery: str) -> Any:
        path = f"/api/v1/deliveries/{delivery.replace('/', '%2F').replace(':', '%3A')}"
        return (await self.client.call("GET", path))["payload"]["body"]

    def mails(self, subject: str) -> dict[str, bytes]:
        """By recipient, the messages with this subject, as a relay would have been given them."""
        found = {}
        for file in self.mail_dir.glob("*.eml"):
            _, delivered, message = file.read_bytes().split(b"\r\n", 2)
            if str(_read(message)["Subject"]) == subject:
                found[delivered.removeprefix(b"Delivered-To: ").decode()] = message
        return found

    async def everything(self) -> dict[str, list[Any]]:
        """Every document of every service."""
        found: dict[str, list[Any]] = {}
        async with open_client(self.mongod.url) as databases:
            for service in SERVICES:
                database = databases(f"{self.stack.prefix}_{service}")
                for name in await database.collection_names():
                    found[f"{service}.{name}"] = await database[name].find({}, sort=[("_id", 1)])
        return found


def _read(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=policy.default)


def _impersonal(message: bytes, recipient: str) -> bytes:
    """Without what only this recipient's copy has."""
    boundary = re.search(rb'boundary="([^"]+)"', message)
    assert boundary
    text = message.replace(boundary[1], b"BOUNDARY").replace(b"=\r\n", b"")
    text = re.sub(rb"Message-ID: <[0-9a-f]{40}@", b"Message-ID: <ID@", text)
    text = re.sub(rb"(unsubscribe\?t(?:=3D|=))[\w.-]+", rb"\1TOKEN", text)
    return text.replace(f"To: {recipient}".encode(), b"To: SOMEBODY")


@pytest.fixture
async def newsroom(
    mongod: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Newsroom]:
    clock, sandbox = StandingClock(), Sandbox(NETWORKS)
    monkeypatch.setattr(standalone, "SystemClock", lambda: clock)
    sent: list[tuple[str, str, Any]] = []
    hooks: list[tuple[str, bytes]] = []

    @web.middleware
    async def record(request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        if request.method != "GET" and request.content_type == "application/json":
            raw = await request.read()
            sent.append((request.method, request.path, orjson.loads(raw) if raw else None))
        return answer

    async def hook(request: web.Request) -> web.Response:
        hooks.append((request.headers["webhook-id"], await request.read()))
        return web.Response(status=204)

    networks, partner = sandbox.app(), web.Application()
    networks.middlewares.append(record)
    partner.router.add_post("/hook", hook)
    options = Options(
        data=tmp_path / "data",
        port=0,
        sandbox_port=None,
        mongo_url=mongod.url,
        settings={"mongo_prefix": f"preview_{new_token()[:8]}"},
    )
    async with AsyncExitStack() as resources:
        network = await resources.enter_async_context(TestServer(networks))
        receiver = await resources.enter_async_context(TestServer(partner))
        stack = await resources.enter_async_context(Stack(options))
        assert stack.ready is not None
        client = await resources.enter_async_context(
            HeraldClient(stack.ready.url, stack.ready.admin_token)
        )
        http = await resources.enter_async_context(aiohttp.ClientSession())
        for channel in sandbox.fakes:
            settings = sandbox.account(channel, str(network.make_url("")).rstrip("/"))
            body = {"channel": channel, "name": "main", "settings": settings}
            await client.call("POST", "/api/v1/channels", body)
        for email in ("ana@readers.example", "bo@readers.example"):
            body = {"email": email, "lists": ["alerts"], "confirmed": True, "consent": "paper"}
            await client.call("POST", "/api/v1/subscribers", body)
        webhook = {"name": "partner", "url": str(receiver.make_url("/hook"))}
        await client.call("POST", "/api/v1/webhooks", webhook)
        yield Newsroom(
            client,
            http,
            stack.ready.url,
            Path(stack.ready.mail_dir),
            clock,
            stack,
            mongod,
            sent,
            hooks,
        )


async def _draft(room: Newsroom) -> dict[str, Any]:
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((2000, 1200)).convert("RGB").save(picture, "JPEG")
    form = FormData()
    form.add_field("file", picture.getvalue(), filename="p.jpg", content_type="image/jpeg")
    media_id = (await room.client.call("POST", "/api/v1/media", data=form))["media_id"]
    draft: dict[str, Any] = await room.client.call(
        "POST",
        "/api/v1/articles",
        {
            "headline": "The night boat sails again & nobody <expected> it",
            "standfirst": "After nine years, it leaves at noon.",
            "body": "It *sails*.\n\nTo the islands, and back. " * 20,
            "section": "city",
            "bylines": ["Ana Quill"],
            "tags": ["ferry", "night boat"],
            "language": "en",
            "lead_image": {"media_id": media_id, "alt": "A boat at the quay", "credit": "Bo"},
            "social": {"mastodon": "Pack your things. " * 40},
        },
    )
    return draft


def _by_outlet(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["outlet"]: line for line in shown["outlets"]}


async def _compare(room: Newsroom, lines: dict[str, dict[str, Any]]) -> None:
    """Each outlet against what it got. Called after the act that was previewed."""
    for outlet in ("social/mastodon/main", "social/bluesky/main"):
        line = lines[outlet]
        if line["operation"] != "delete":
            assert await room.payload(line["delivery"]) == line["payload"]
            assert line["length"] <= line["limit"]
    hook_id, body = room.hooks[-1]
    assert (hook_id, body.decode()) == (
        lines["webhook/partner"]["id"],
        lines["webhook/partner"]["body"],
    )
    mail = lines["email"]
    received = room.mails(mail["subject"])
    assert len(received) == mail["recipients"] == 2
    for recipient, message in received.items():
        assert _impersonal(message, recipient) == _impersonal(mail["message"].encode(), PLACEHOLDER)
    shown = _read(mail["message"].encode())
    for kind in ("html", "plain"):
        part = shown.get_body((kind,))
        assert part is not None
        said = part.get_content().replace("\r\n", "\n")  # lines end in mail as RFC 5322 wants them
        assert said == mail["html" if kind == "html" else "text"]
    site = lines["site"]
    path = site["url"].removeprefix(room.url)
    assert await room.page(path) == (site["status"], site["html"].encode())
    for outlet, document in (("news_sitemap", "news-sitemap.xml"), ("feed", "feed.xml")):
        line = lines[outlet]
        _, xml = await room.page(f"/{document}")
        if line["included"]:
            assert line["xml"].encode() in xml
        else:
            assert site["url"].encode() not in xml
    async with asyncio.timeout(10):
        while True:  # the archive follows within a moment
            _, xml = await room.page("/sitemaps/articles-1.xml")
            line = lines["sitemap"]
            there = line["xml"].encode() in xml if line["included"] else site["url"] not in str(xml)
            if there:
                return
            await asyncio.sleep(0.05)


async def test_publication_correction_and_retraction_are_sent_as_they_were_shown(
    newsroom: Newsroom,
) -> None:
    room = newsroom
    draft = await _draft(room)
    before = await room.everything()
    shown = await room.preview(draft["id"])
    lines = _by_outlet(shown)
    assert await room.everything() == before
    assert (shown["act"], shown["blocking"], shown["revision"]) == ("publish", {}, 1)
    assert {(line["service"], line["operation"]) for line in shown["outlets"]} == {
        ("social", "post"),
        ("sitemap", "include"),
        ("notifications", "send"),
        ("site", "include"),
    }
    await room.act(draft["id"], "publish")
    posts = {path: body for _, path, body in room.sent if body}
    mastodon, bluesky = lines["social/mastodon/main"], lines["social/bluesky/main"]
    assert posts["/mastodon/api/v1/statuses"]["status"] == mastodon["text"]
    assert mastodon["text"] == mastodon["payload"]["status"]
    put = posts["/bluesky/xrpc/com.atproto.repo.putRecord"]
    assert put["rkey"] == bluesky["payload"]["rkey"]
    del put["record"]["embed"]["external"]["thumb"]  # the network's own word for the picture
    assert put["record"] == bluesky["payload"]["record"]
    await _compare(room, lines)

    # A correction together with words that nobody has saved yet.
    room.clock.instant += timedelta(minutes=5)
    changes = {"headline": "The night boat sails at nine"}
    correction = {"kind": "correction", "text": "It sails at nine, not at noon."}
    before = await room.everything()
    shown = await room.preview(
        draft["id"], {"act": "correct", "changes": changes, "correction": correction}
    )
    assert await room.everything() == before
    lines = _by_outlet(shown)
    assert lines["social/mastodon/main"]["effect"] == "edited"
    assert lines["social/bluesky/main"]["effect"] == "replied"
    assert correction["text"] in lines["social/bluesky/main"]["text"]
    assert (lines["email"]["kind"], lines["site"]["operation"]) == ("correction", "edit")
    path = f"/api/v1/articles/{draft['id']}"
    await room.client.call("PATCH", path, changes, revision=2)
    await room.act(draft["id"], "correct", correction)
    await _compare(room, lines)

    room.clock.instant += timedelta(minutes=5)
    reason = "The captain never existed."
    before = await room.everything()
    shown = await room.preview(draft["id"], {"act": "retract", "reason": reason})
    assert await room.everything() == before
    lines = _by_outlet(shown)
    for outlet in ("social/mastodon/main", "social/bluesky/main"):
        assert (lines[outlet]["operation"], lines[outlet]["effect"]) == ("delete", "deleted")
    assert (lines["site"]["status"], lines["email"]["kind"]) == (410, "retraction")
    for outlet in ("news_sitemap", "feed", "sitemap"):
        assert (lines[outlet]["operation"], lines[outlet]["included"]) == ("remove", False)
    await room.act(draft["id"], "retract", {"reason": reason})
    await _compare(room, lines)
    removed = [path for method, path, _ in room.sent if "deleteRecord" in path]
    assert len(removed) == 2  # the post and its reply


async def test_a_long_article_fits_through(newsroom: Newsroom) -> None:
    """200,000 characters that are twelve times as long in HTML."""
    room = newsroom
    draft = await room.client.call(
        "POST", "/api/v1/articles", {"headline": "Long", "body": "&" * 200_000, "section": "city"}
    )
    shown = await room.preview(draft["id"])
    assert shown["blocking"] == {"bylines": "is needed to publish"}
    assert len(_by_outlet(shown)["site"]["html"]) > 1_000_000
