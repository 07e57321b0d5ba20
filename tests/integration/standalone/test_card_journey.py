"""An article without a picture that fits: the card that the preview shows is the one that networks get."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestServer
from lxml import html
from PIL import Image

from services.social.channels.base import Fake, VisiblePost
from services.social.sandbox.app import Sandbox
from services.standalone.client import HeraldClient
from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.runtime.ids import new_token

pytestmark = pytest.mark.integration

NETWORKS = ("instagram", "bluesky", "linkedin", "threads")


@dataclass
class Newsroom:
    client: HeraldClient
    http: aiohttp.ClientSession
    url: str
    networks: str
    fakes: dict[str, Fake]

    async def draft(self, **more: Any) -> str:
        body = {
            "headline": "The night boat sails again",
            "standfirst": "After nine years.",
            "body": "It sails.",
            "section": "city",
            "bylines": ["Ana Quill"],
            "language": "en",
            **more,
        }
        made: dict[str, Any] = await self.client.call("POST", "/api/v1/articles", body)
        return str(made["id"])

    async def picture(self, width: int, height: int) -> str:
        out = io.BytesIO()
        Image.new("RGB", (width, height), (200, 30, 30)).save(out, "JPEG")
        form = FormData()
        form.add_field("file", out.getvalue(), filename="p.jpg", content_type="image/jpeg")
        return str((await self.client.call("POST", "/api/v1/media", data=form))["media_id"])

    async def payloads(self, article_id: str) -> dict[str, Any]:
        """What each network would be sent if the article were published now."""
        path = f"/api/v1/articles/{article_id}/preview"
        shown = await self.client.call("POST", path, {"act": "publish"})
        return {
            line["outlet"].split("/")[1]: line
            for line in shown["outlets"]
            if line["outlet"].startswith("social/")
        }

    async def act(self, article_id: str, act: str, body: Any = None) -> None:
        path = f"/api/v1/articles/{article_id}"
        revision = (await self.client.call("GET", path))["revision"]
        await self.client.call("POST", f"{path}/{act}", body, revision=revision)
        async with asyncio.timeout(30):
            while not (await self.client.call("GET", f"{path}/fanout"))["settled"]:
                await asyncio.sleep(0.05)

    async def sent(self, delivery: str) -> Any:
        path = f"/api/v1/deliveries/{delivery.replace('/', '%2F').replace(':', '%3A')}"
        found = await self.client.call("GET", path)
        assert found["state"] == "confirmed", found
        return found["payload"]["body"]

    async def correct(self, article_id: str, notice: str, **changes: Any) -> None:
        path = f"/api/v1/articles/{article_id}"
        revision = (await self.client.call("GET", path))["revision"]
        await self.client.call("PATCH", path, changes, revision=revision)
        await self.act(article_id, "correct", {"kind": "correction", "text": notice})

    async def read(self, address: str) -> tuple[int, bytes]:
        async with self.http.get(address) as answer:
            return answer.status, await answer.read()

    async def shared_picture(self, article_id: str) -> dict[str, str]:
        """What the page tells those who share its link, by the end of the property's name."""
        article = await self.client.call("GET", f"/api/v1/articles/{article_id}")
        page = html.document_fromstring((await self.read(article["url"]))[1])
        return {
            str(tag.get("property")).removeprefix("og:"): str(tag.get("content"))
            for tag in page.xpath("//meta[starts-with(@property, 'og:image')]")
        }

    def post(self, network: str) -> VisiblePost:
        (post,) = self.fakes[network].visible()
        return post

    async def picture_at(self, address: str) -> bytes:
        async with self.http.get(address) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            return await answer.read()

    async def received(self, network: str, address: str) -> bytes:
        """The picture as the network has it."""
        base = "" if address.startswith("http") else f"{self.networks}/{network}/"
        return await self.picture_at(base + address.lstrip("/"))


@pytest.fixture
async def newsroom(mongod: Mongod, tmp_path: Path) -> AsyncIterator[Newsroom]:
    sandbox = Sandbox(NETWORKS)
    options = Options(
        data=tmp_path / "data",
        port=0,
        sandbox_port=None,
        mongo_url=mongod.url,
        settings={"mongo_prefix": f"cards_{new_token()[:8]}"},
    )
    async with AsyncExitStack() as resources:
        network = await resources.enter_async_context(TestServer(sandbox.app()))
        stack = await resources.enter_async_context(Stack(options))
        assert stack.ready is not None
        client = await resources.enter_async_context(
            HeraldClient(stack.ready.url, stack.ready.admin_token)
        )
        http = await resources.enter_async_context(aiohttp.ClientSession())
        networks = str(network.make_url("")).rstrip("/")
        for channel in NETWORKS:
            body = {
                "channel": channel,
                "name": "main",
                "settings": sandbox.account(channel, networks),
            }
            await client.call("POST", "/api/v1/channels", body)
        yield Newsroom(client, http, stack.ready.url, networks, sandbox.fakes)


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    assert image.format == "JPEG"
    return image


def without_moments(value: Any) -> Any:
    """What two compositions at different instants have in common."""
    if isinstance(value, dict):
        moments = {"composed_at", "createdAt", "rkey"}
        return {key: without_moments(one) for key, one in value.items() if key not in moments}
    return value


async def test_an_article_without_a_picture_is_posted_with_its_card(newsroom: Newsroom) -> None:
    article_id = await newsroom.draft()
    previewed = await newsroom.payloads(article_id)
    card_url = previewed["instagram"]["payload"]["image_url"]
    assert card_url.startswith(f"{newsroom.url}/cards/{article_id}/")
    # Nothing is to be seen of a draft, by anybody.
    assert (await newsroom.read(card_url))[0] == 404

    await newsroom.act(article_id, "publish")
    for network in NETWORKS:
        line = previewed[network]
        assert "error" not in line
        sent = await newsroom.sent(line["delivery"])
        assert without_moments(sent) == without_moments(line["payload"])

    # Each network has the very bytes that the preview named, and so has everybody else.
    tall = await newsroom.picture_at(card_url)
    assert opened(tall).size == (1080, 1350)
    (image,) = newsroom.post("instagram").images
    assert image["alt"] == "The night boat sails again"
    assert await newsroom.received("instagram", image["url"]) == tall

    thumbnail = previewed["bluesky"]["payload"]["media"]
    wide = await newsroom.picture_at(thumbnail["url"])
    assert opened(wide).size == (1200, 630)
    assert hashlib.sha256(wide).hexdigest() == thumbnail["sha256"]
    assert (thumbnail["use"], thumbnail["size"]) == ("card", len(wide))
    assert previewed["linkedin"]["payload"]["thumbnail"]["url"] == thumbnail["url"]
    for network in ("bluesky", "linkedin"):
        card = newsroom.post(network).card
        assert card is not None
        assert await newsroom.received(network, card["image"]) == wide

    # Threads, like all who follow the link themselves, finds the same card on the page.
    assert await newsroom.shared_picture(article_id) == {
        "image": thumbnail["url"],
        "image:width": "1200",
        "image:height": "630",
        "image:alt": "The night boat sails again",
    }
    assert newsroom.post("threads").images == ()


async def test_a_corrected_headline_has_a_new_card_and_a_retracted_one_none(
    newsroom: Newsroom,
) -> None:
    article_id = await newsroom.draft()
    await newsroom.act(article_id, "publish")
    first = (await newsroom.shared_picture(article_id))["image"]
    before = await newsroom.picture_at(first)

    await newsroom.correct(article_id, "It sails tomorrow.", headline="The night boat sails soon")
    second = (await newsroom.shared_picture(article_id))["image"]
    assert second != first
    after = await newsroom.picture_at(second)
    assert (opened(after).size, after == before) == ((1200, 630), False)
    # Posts that are out go on showing what they were made with.
    assert await newsroom.picture_at(first) == before

    await newsroom.act(article_id, "retract", {"reason": "It did not sail."})
    assert await newsroom.shared_picture(article_id) == {}
    for address in (first, second):
        assert (await newsroom.read(address))[0] == 410


async def test_a_picture_too_tall_for_instagram_lies_behind_the_words(newsroom: Newsroom) -> None:
    media_id = await newsroom.picture(1600, 2400)
    lead = {"media_id": media_id, "alt": "A boat", "credit": "Bo Lens"}
    article_id = await newsroom.draft(lead_image=lead)
    previewed = await newsroom.payloads(article_id)
    await newsroom.act(article_id, "publish")
    sent = await newsroom.sent(previewed["instagram"]["delivery"])
    assert without_moments(sent) == without_moments(previewed["instagram"]["payload"])
    (image,) = newsroom.post("instagram").images
    seen = opened(await newsroom.received("instagram", image["url"]))
    red, green, blue = seen.convert("RGB").getpixel((540, 200))  # type: ignore[misc]
    assert (seen.size, red > 180, green < 60, blue < 60) == ((1080, 1350), True, True, True)
    # Where the network takes the picture itself, it gets the picture.
    assert "/media/" in previewed["bluesky"]["payload"]["media"]["url"]
