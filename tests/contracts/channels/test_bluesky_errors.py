"""The Bluesky channel against its stand-in over a real socket: every outcome, every fault, no second post."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from pydantic import SecretStr

from services.social.channels.base import Intent, Posted
from services.social.channels.bluesky import CHANNEL
from services.social.channels.bluesky.channel import BlueskyChannel
from services.social.channels.bluesky.fake import BlueskyFake
from services.social.channels.bluesky.settings import BlueskySettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, GiveUp, OutcomeUnknown, TryAgain
from shared.runtime.clock import ManualClock

NOW = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
SHORT = aiohttp.ClientTimeout(total=0.6, connect=0.3)


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (20, 90, 160)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class World:
    """A stand-in below `/bluesky` as in the sandbox, a channel on it, and our media."""

    fake: BlueskyFake
    clock: ManualClock
    settings: BlueskySettings
    http: aiohttp.ClientSession
    server: TestServer
    media: dict[str, bytes] = field(default_factory=dict)

    def channel(self, **changes: Any) -> BlueskyChannel:
        return BlueskyChannel(
            self.settings.model_copy(update=changes),
            self.http,
            self.fetch,
            clock=self.clock.now,
            timeout=SHORT,
        )

    async def fetch(self, url: str) -> bytes:
        if url not in self.media:
            raise aiohttp.ClientError("gone")
        return self.media[url]

    def intent(self, key: str = "d1", **changes: Any) -> Intent:
        fields: dict[str, Any] = {"operation": Operation.POST, "article": self.article()}
        return Intent(key=key, now=self.clock.now(), **{**fields, **changes})

    def article(self, **changes: Any) -> Article:
        sizes = ((2400, 1350), (1600, 900), (800, 450))
        renditions = []
        for width, height in sizes:
            url = f"https://news.example/m/{width}.jpg"
            data = self.media.setdefault(url, jpeg(width, height))
            renditions.append(
                Rendition(
                    name=str(width), url=url, width=width, height=height,
                    media_type="image/jpeg", size=len(data),
                )
            )  # fmt: skip
        fields: dict[str, Any] = {
            "id": "a1", "slug": "flood", "url": "https://news.example/flood", "headline": "River rises",
            "standfirst": "The town prepares.", "body": "…", "body_html": "…", "section": "local",
            "language": "en", "tags": ("climate change",), "status": Status.PUBLISHED, "revision": 1,
            "publication": 1, "updated_at": NOW,
            "lead_image": LeadImage(media_id="m", alt="A river", renditions=tuple(renditions)),
        }  # fmt: skip
        return Article(**{**fields, **changes})

    def edit(self, posted: Posted, text: str, key: str = "d1-edit") -> Intent:
        notice = Correction(at=NOW, kind="correction", text=text)
        return self.intent(
            key,
            operation=Operation.EDIT,
            article=self.article(revision=2, corrections=(notice,)),
            posted=posted,
            change="correction",
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = ManualClock(NOW)
    fake = BlueskyFake(clock=clock.now)
    async for one in serve(fake, clock):
        yield one


async def serve(fake: BlueskyFake, clock: ManualClock) -> AsyncIterator[World]:
    root = web.Application()
    root.add_subapp("/bluesky", fake.app())
    server = TestServer(root, host="127.0.0.1")
    await server.start_server()
    try:
        async with aiohttp.ClientSession() as http:
            account = fake.account(str(server.make_url("/bluesky")))
            yield World(fake, clock, BlueskySettings.model_validate(account), http, server)
    finally:
        await asyncio.wait_for(server.close(), 5)


async def payload_of(channel: BlueskyChannel, intent: Intent) -> dict[str, Any]:
    payload = await channel.compose(intent)
    assert payload is not None
    return payload


async def test_a_post_with_its_card_arrives_as_composed(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    assert payload["media"]["width"] == 1600
    posted = await channel.post(payload)
    (seen,) = world.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text == payload["record"]["text"]
    assert seen.text.endswith("#ClimateChange")
    assert (seen.language, seen.created_at) == ("en", NOW)
    assert seen.card is not None
    assert seen.card["title"] == "River rises"
    assert "utm_source=bluesky" in seen.card["uri"]
    async with world.http.get(f"{world.settings.server}{seen.card['image']}") as image:
        assert await image.read() == world.media["https://news.example/m/1600.jpg"]
    async with world.http.get(seen.url) as page:
        assert "River rises" in await page.text()
    assert await channel.check() == seen.author


async def test_an_image_post_shows_the_alt_text(world: World) -> None:
    channel = world.channel(media="image")
    await channel.post(await payload_of(channel, world.intent()))
    (seen,) = world.fake.visible()
    assert [image["alt"] for image in seen.images] == ["A river"]
    assert seen.card is None
    assert seen.link is not None
    assert seen.link in seen.text


async def test_an_article_without_a_fitting_image_gets_a_card_without_thumbnail(
    world: World,
) -> None:
    article = world.article()
    assert article.lead_image is not None
    huge = [one.model_copy(update={"size": 3_000_000}) for one in article.lead_image.renditions]
    image = article.lead_image.model_copy(update={"renditions": tuple(huge)})
    channel = world.channel(media="image")
    intent = world.intent(article=article.model_copy(update={"lead_image": image}))
    await channel.post(await payload_of(channel, intent))
    (seen,) = world.fake.visible()
    assert seen.card is not None
    assert "image" not in seen.card


async def test_the_same_payload_twice_is_one_post(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    assert await channel.post(payload) == await world.channel().post(payload)
    assert len(world.fake.creations()) == 1


@pytest.mark.parametrize("fault", ["error_after", "hang_after", "disconnect_after"])
async def test_done_without_an_answer_is_unknown_then_found_then_not_doubled(
    world: World, fault: str
) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    assert await channel.find(payload) is None
    world.fake.faults[fault] = 1
    with pytest.raises(OutcomeUnknown):
        await channel.post(payload)
    found = await channel.find(payload)
    assert found is not None
    assert found == await channel.post(payload)
    assert len(world.fake.creations()) == 1


async def test_an_error_before_is_unknown_too_and_can_be_sent_again(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    world.fake.faults["error_before"] = 1
    with pytest.raises(OutcomeUnknown, match="UpstreamFailure"):
        await channel.post(payload)
    assert await channel.find(payload) is None
    await channel.post(payload)
    assert len(world.fake.creations()) == 1


async def test_a_throttle_waits_until_the_reset(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    world.fake.faults["rate_limited"] = 1
    with pytest.raises(TryAgain) as caught:
        await channel.post(payload)
    assert caught.value.whole_account
    assert caught.value.after == 2.0
    assert channel.budget is not None
    assert channel.budget.remaining == 0
    assert world.fake.creations() == []


async def test_a_revoked_token_and_a_refusal(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    world.fake.faults["auth_dead"] = 1
    with pytest.raises(AuthDead, match="InvalidToken"):
        await channel.post(payload)
    world.fake.faults["refuse"] = 1
    with pytest.raises(GiveUp, match="refused by a fault"):
        await channel.post(payload)
    assert world.fake.creations() == []


async def test_wrong_credentials_are_dead_and_never_quoted(world: World) -> None:
    channel = world.channel(app_password=SecretStr("open-sesame"))
    with pytest.raises(AuthDead, match="Invalid identifier or password") as caught:
        await channel.check()
    assert "open-sesame" not in repr(caught.value)
    assert "open-sesame" not in repr(channel._settings)


async def test_no_server_is_try_again(world: World) -> None:
    channel = world.channel(server="http://127.0.0.1:9")
    with pytest.raises(TryAgain, match="cannot connect"):
        await channel.check()


async def test_an_expired_token_is_refreshed_once_for_all_calls(world: World) -> None:
    channel = world.channel()
    await channel.check()
    world.clock.advance(2 * 3600)
    assert await asyncio.gather(*(channel.check() for _ in range(5)))
    assert (world.fake.sessions.created, world.fake.sessions.refreshed) == (1, 1)


async def test_a_token_that_ends_at_the_post_does_not_double_it(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent(article=world.article(lead_image=None)))
    world.fake.faults["expired_token"] = 1
    await channel.post(payload)
    assert len(world.fake.creations()) == 1
    assert world.fake.sessions.refreshed == 1


async def test_a_spent_refresh_token_falls_back_to_signing_in(world: World) -> None:
    channel = world.channel()
    await channel.check()
    world.clock.advance(91 * 86_400)
    await channel.check()
    assert (world.fake.sessions.created, world.fake.sessions.refreshed) == (2, 0)
    world.fake.sessions.revoke_all()
    with pytest.raises(AuthDead):
        await channel.check()


async def test_a_refresh_token_works_once(world: World) -> None:
    base = f"{world.settings.server}/xrpc/com.atproto.server"
    tokens = world.fake.sessions.create(
        world.settings.identifier, world.settings.app_password.get_secret_value()
    )
    headers = {"Authorization": f"Bearer {tokens['refreshJwt']}"}
    answers = []
    for _ in range(2):
        async with world.http.post(f"{base}.refreshSession", headers=headers) as answer:
            answers.append((answer.status, (await answer.json()).get("error")))
    assert answers == [(200, None), (400, "ExpiredToken")]


async def test_changed_image_bytes_are_refused(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    world.media[payload["media"]["url"]] = jpeg(1600, 901)
    with pytest.raises(GiveUp, match="no longer the one"):
        await channel.post(payload)
    world.media.clear()
    with pytest.raises(TryAgain):
        await channel.post(payload)
    assert world.fake.creations() == []


@pytest.mark.parametrize("fault", ["error_before", "error_after", "hang_after", "disconnect_after"])
async def test_a_failed_upload_is_no_unknown_outcome(world: World, fault: str) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    world.fake.faults[f"blob:{fault}"] = 1
    with pytest.raises(TryAgain):
        await channel.post(payload)
    await channel.post(payload)
    assert len(world.fake.creations()) == 1


async def test_an_upload_refused_for_good_gives_up(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    payload["media"]["media_type"] = "image/png"
    with pytest.raises(GiveUp, match="InvalidMimeType"):
        await channel.post(payload)


async def test_a_key_that_holds_something_else_is_given_up(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    await channel.post(payload)
    payload["record"]["text"] = "Another text"
    payload["record"]["facets"] = []
    with pytest.raises(GiveUp, match="InvalidSwap"):
        await channel.post(payload)
    with pytest.raises(GiveUp, match="InvalidSwap"):
        await channel.find(payload)
    assert len(world.fake.creations()) == 1


async def test_our_own_record_under_another_cid_is_adopted(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    bare = {**payload, "media": None}  # as if the server had stored the same post with other bytes
    first = await channel.post(bare)
    assert await channel.post(payload) == first
    assert len(world.fake.creations()) == 1


async def test_minor_changes_are_nothing_and_corrections_are_replies(world: World) -> None:
    channel = world.channel()
    posted = await channel.post(await payload_of(channel, world.intent()))
    minor = world.intent("e0", operation=Operation.EDIT, posted=posted, change="minor")
    assert await channel.compose(minor) is None
    payload = await payload_of(channel, world.edit(posted, "The river is the Rhine."))
    edited = await channel.edit(payload, posted)
    assert await channel.edit(payload, posted) == edited
    assert await channel.edit(payload, edited) == edited
    reply, first = world.fake.visible()
    assert reply.text.startswith("Correction: The river is the Rhine.")
    assert reply.reply_to == first.id == edited.remote_id
    assert [one["uri"] for one in edited.extra["replies"]] == [reply.id]


@pytest.mark.parametrize("fault", ["error_after", "hang_after", "disconnect_after"])
async def test_a_correction_without_an_answer_is_not_doubled(world: World, fault: str) -> None:
    channel = world.channel()
    posted = await channel.post(await payload_of(channel, world.intent()))
    payload = await payload_of(channel, world.edit(posted, "The river is the Rhine."))
    world.fake.faults[f"edit:{fault}"] = 1
    with pytest.raises(OutcomeUnknown):
        await channel.edit(payload, posted)
    await channel.edit(payload, posted)
    assert len(world.fake.creations()) == 2


async def test_deleting_takes_the_corrections_too_and_may_be_repeated(world: World) -> None:
    channel = world.channel()
    posted = await channel.post(await payload_of(channel, world.intent()))
    payload = await payload_of(channel, world.edit(posted, "The river is the Rhine."))
    edited = await channel.edit(payload, posted)
    world.fake.faults["delete:error_after"] = 1
    with pytest.raises(OutcomeUnknown):
        await channel.delete(edited)
    await channel.delete(edited)
    await channel.delete(edited)
    assert world.fake.visible() == []
    assert [post.deleted for post in world.fake.creations()] == [True, True]
    deletion = world.intent("x1", operation=Operation.DELETE, posted=edited)
    assert await channel.compose(deletion) == {
        "delete": [edited.extra["replies"][0]["uri"], edited.remote_id]
    }


async def test_the_budget_follows_the_headers_until_the_network_refuses() -> None:
    clock = ManualClock(NOW)
    fake = BlueskyFake(clock=clock.now, capacity={"writes-hour": 4})
    async for world in serve(fake, clock):
        channel = world.channel()
        payloads = [await payload_of(channel, world.intent(f"d{number}")) for number in range(3)]
        await channel.post(payloads[0])
        assert channel.budget is not None
        assert (channel.budget.limit, channel.budget.remaining) == (4, 2)
        await channel.post(payloads[1])
        assert channel.budget.remaining == 0
        clock.advance(600)
        with pytest.raises(TryAgain) as caught:
            await channel.post(payloads[2])
        assert caught.value.after == 3000.0
        assert len(fake.creations()) == 2
        clock.advance(3000)
        await channel.post(payloads[2])
        assert len(fake.creations()) == 3


async def test_signing_in_too_often_is_throttled() -> None:
    clock = ManualClock(NOW)
    fake = BlueskyFake(clock=clock.now, capacity={"sessions": 1})
    async for world in serve(fake, clock):
        await world.channel().check()
        with pytest.raises(TryAgain) as caught:
            await world.channel().check()
        assert caught.value.whole_account
        assert caught.value.after == 300.0


async def test_a_hanging_answer_ends_when_the_stand_in_shuts_down() -> None:
    clock = ManualClock(NOW)
    fake = BlueskyFake(clock=clock.now)
    async for world in serve(fake, clock):
        channel = BlueskyChannel(world.settings, world.http, world.fetch, clock=clock.now)
        payload = await payload_of(channel, world.intent())
        fake.faults["hang_after"] = 1
        waiting = asyncio.create_task(channel.post(payload))
        while not fake.creations():
            await asyncio.sleep(0.01)
        await asyncio.wait_for(world.server.close(), 5)
        with pytest.raises(OutcomeUnknown):
            await waiting


def broken(payload: dict[str, Any], change: str) -> dict[str, Any]:
    record = payload["record"]
    facet = record["facets"][0]
    match change:
        case "too many graphemes":
            record["text"] = record["text"] + "é" * 300
        case "too many bytes":
            record["text"] = record["text"] + "👨‍👩‍👧‍👦" * 150
        case "no createdAt":
            del record["createdAt"]
        case "createdAt without zone":
            record["createdAt"] = "2026-09-01T12:30:00.000"
        case "four languages":
            record["langs"] = ["en", "de", "fr", "ar"]
        case "facet outside":
            facet["index"]["byteEnd"] = 9999
        case "facet inside a character":
            record["text"] = "é" + record["text"]
            facet["index"]["byteStart"] = 1
        case "facets overlap":
            record["facets"].append(facet)
        case "unknown field":
            record["lang"] = "en"
        case "bad key":
            payload["rkey"] = "not-a-tid"
        case "other account":
            payload["repo"] = "did:plc:" + "a" * 24
        case "missing title":
            del record["embed"]["external"]["title"]
        case "reply to nothing":
            ref = {"uri": f"at://{payload['repo']}/app.bsky.feed.post/3kabcdefghij2", "cid": "b"}
            record["reply"] = {"root": ref, "parent": ref}
    return payload


@pytest.mark.parametrize(
    "change",
    [
        "too many graphemes", "too many bytes", "no createdAt", "createdAt without zone",
        "four languages", "facet outside", "facet inside a character", "facets overlap",
        "unknown field", "bad key", "other account", "missing title", "reply to nothing",
    ],
)  # fmt: skip
async def test_the_stand_in_refuses_what_the_network_refuses(world: World, change: str) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    with pytest.raises(GiveUp):
        await channel.post(broken(payload, change))
    assert world.fake.creations() == []


async def test_a_thumbnail_over_a_megabyte_is_refused(world: World) -> None:
    channel = world.channel()
    payload = await payload_of(channel, world.intent())
    data = jpeg(1600, 900) + b"\0" * 1_000_000
    world.media[payload["media"]["url"]] = data
    payload["media"]["sha256"] = hashlib.sha256(data).hexdigest()
    with pytest.raises(GiveUp, match="BlobTooLarge"):
        await channel.post(payload)


async def test_no_token_no_entry(world: World) -> None:
    base = f"{world.settings.server}/xrpc/com.atproto"
    async with world.http.get(f"{base}.server.getSession") as answer:
        assert answer.status == 401
    headers = {"Authorization": "Bearer made-up"}
    async with world.http.get(f"{base}.server.getSession", headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "InvalidToken")


def test_what_the_folder_declares() -> None:
    assert CHANNEL.name == "bluesky"
    assert not CHANNEL.capabilities.edit
    assert CHANNEL.capabilities.idempotent
    assert CHANNEL.capabilities.lookup
