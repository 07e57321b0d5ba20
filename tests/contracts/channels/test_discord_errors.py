"""The Discord channel against its strict stand-in over a real loopback socket: outcomes, not calls."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestServer, unused_port
from PIL import Image

from services.social.channels import transport
from services.social.channels.base import FAULTS, Intent, Payload, Posted
from services.social.channels.discord.channel import DiscordChannel
from services.social.channels.discord.fake import WEBHOOK_ID, DiscordFake
from services.social.channels.discord.settings import DiscordSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain
from shared.runtime.clock import ManualClock

REFUSALS: dict[str, type[DeliveryError]] = {
    "error_before": OutcomeUnknown,
    "error_after": OutcomeUnknown,
    "hang_after": OutcomeUnknown,
    "disconnect_after": OutcomeUnknown,
    "rate_limited": TryAgain,
    "auth_dead": AuthDead,
    "refuse": GiveUp,
    "wrong_token": AuthDead,
    "proxy_limited": TryAgain,
}
IMAGE_URL = "https://news.example/media/a.jpg"


def image(width: int = 64, height: int = 48, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, kind)
    return buffer.getvalue()


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the *budget*",
        "standfirst": "Schools get more, roads get less.",
        "body": "…",
        "body_html": "…",
        "section": "politics",
        "tags": ("local politics",),
        "language": "en-GB",
        "lead_image": LeadImage(
            media_id="m",
            alt="The town hall",
            renditions=(
                Rendition(
                    name="wide",
                    url=IMAGE_URL,
                    width=64,
                    height=48,
                    media_type="image/jpeg",
                    size=900,
                ),
            ),
        ),
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return Article(**{**fields, **changed})


@dataclass
class Stage:
    """A running stand-in below a path, as in the sandbox, with a channel connected to it."""

    fake: DiscordFake
    session: aiohttp.ClientSession
    clock: ManualClock
    root: str
    images: dict[str, bytes]

    def __post_init__(self) -> None:
        self.channel = self.connected()

    def intent(self, operation: Operation = Operation.POST, **more: Any) -> Intent:
        given = {"key": "delivery-1", "article": article(), "now": self.clock.now()}
        return Intent(operation=operation, **{**given, **more})

    async def payload(self, intent: Intent | None = None) -> Payload:
        composed = await self.channel.compose(intent or self.intent())
        assert composed is not None
        return composed

    async def posted(self) -> Posted:
        return await self.channel.post(await self.payload())

    def connected(self, **changed: Any) -> DiscordChannel:
        account = DiscordSettings.model_validate({**self.fake.account(self.root), **changed})
        return DiscordChannel(account, self.session, self.fetch, clock=self.clock.now)

    async def fetch(self, url: str) -> bytes:
        return self.images[url]

    async def call(self, method: str, path: str = "", **more: Any) -> tuple[int, Any]:
        """A bare call of the webhook, past the channel."""
        url = f"{self.root}/api/v10/webhooks/{WEBHOOK_ID}/{self.fake.token}{path}"
        headers = {"User-Agent": "DiscordBot (test, 1)", **more.pop("headers", {})}
        async with self.session.request(method, url, headers=headers, **more) as answer:
            return answer.status, await answer.json()


Staging = Callable[[DiscordFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: DiscordFake) -> Stage:
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.add_subapp("/discord", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            root = str(server.make_url("/discord"))
            return Stage(fake, session, clock, root, {IMAGE_URL: image()})

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(DiscordFake(clock=clock.now, capacity=100))


async def test_posts_a_card_with_image_link_and_address(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text == "Council passes the *budget*\n\nSchools get more, roads get less."
    assert seen.card is not None
    assert seen.card["uri"] == "https://news.example/budget?utm_source=discord&utm_medium=social"
    assert seen.card["title"] == "Council passes the *budget*"
    async with stage.session.get(stage.root + seen.card["image"]) as answer:
        assert (await answer.read(), answer.content_type) == (image(), "image/jpeg")
    async with stage.session.get(seen.url) as page:
        assert "Council passes the *budget*" in await page.text()


async def test_with_an_image_readers_get_its_alt_text_and_the_link(stage: Stage) -> None:
    channel = stage.connected(media="image")
    payload = await channel.compose(stage.intent())
    assert payload is not None
    await channel.post(payload)
    [seen] = stage.fake.visible()
    assert seen.card is None
    assert seen.images[0]["alt"] == "The town hall"
    assert seen.link == "https://news.example/budget?utm_source=discord&utm_medium=social"
    [message] = stage.fake._messages.values()
    assert message.form.flags == 4


async def test_an_article_without_image_is_a_card_all_the_same(stage: Stage) -> None:
    payload = await stage.payload(stage.intent(article=article(lead_image=None)))
    await stage.channel.post(payload)
    [seen] = stage.fake.visible()
    assert seen.card is not None
    assert seen.card["image"] == ""


async def test_wording_is_what_people_read(stage: Stage) -> None:
    payload = await stage.payload(stage.intent(article=article(social={"discord": "Out *now*"})))
    await stage.channel.post(payload)
    assert stage.channel.wording(payload).text == stage.fake.visible()[0].text


async def test_nobody_is_ever_called(stage: Stage) -> None:
    words = "@everyone @here <@123> <@&456>"
    payload = await stage.payload(stage.intent(article=article(social={"discord": words})))
    posted = await stage.channel.post(payload)
    await stage.channel.edit(payload, posted)
    assert stage.fake.visible()[0].text.startswith(words)
    assert stage.fake.pinged == []
    await stage.call("POST", params={"wait": "true"}, json={"content": "@everyone"})
    assert stage.fake.pinged == ["@everyone"]


@pytest.mark.parametrize("fault", REFUSALS)
async def test_each_fault_of_a_post_is_mapped(stage: Stage, fault: str) -> None:
    assert set(FAULTS) <= set(REFUSALS)
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.post(payload)
    assert len(stage.fake.creations()) == int(fault.endswith("_after"))


@pytest.mark.parametrize("fault", REFUSALS)
async def test_each_fault_of_an_edit_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    changed = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    payload = await stage.payload(changed)
    stage.fake.faults[f"edit:{fault}"] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.edit(payload, posted)
    assert stage.fake.visible()[0].text.startswith("Other") is fault.endswith("_after")
    await stage.channel.edit(payload, posted)
    assert stage.fake.visible()[0].text.startswith("Other")
    assert len(stage.fake.creations()) == 1


@pytest.mark.parametrize("fault", REFUSALS)
async def test_each_fault_of_a_deletion_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    stage.fake.faults[f"delete:{fault}"] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    assert stage.fake.visible() == []
    assert [post.deleted for post in stage.fake.creations()] == [True]


async def test_nobody_but_a_person_can_look(stage: Stage) -> None:
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(await stage.payload())


@pytest.mark.parametrize(("fault", "after"), [("rate_limited", 1.337), ("proxy_limited", 7.0)])
async def test_throttling_names_the_seconds_and_holds_the_account(
    stage: Stage, fault: str, after: float
) -> None:
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (after, True)


async def test_budget_follows_the_headers_and_a_used_up_one_refuses_until_its_reset(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(DiscordFake(clock=clock.now, capacity=2))
    payload = await stage.payload()
    assert stage.channel.budget is None
    await stage.channel.post(payload)
    first = stage.channel.budget
    assert first is not None
    assert (first.limit, first.remaining) == (2, 1)
    assert first.resets_at == clock.now() + timedelta(seconds=2)
    clock.advance(0.5)
    await stage.channel.post(payload)
    assert stage.channel.budget is not None
    assert stage.channel.budget.remaining == 0
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (1.5, True)
    clock.advance(1.5)
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 3


async def test_correction_is_public_and_keeps_image_and_place(stage: Stage) -> None:
    posted = await stage.posted()
    notice = Correction(at=stage.clock.now(), kind="correction", text="It is 4 million, not 40.")
    story = article(corrections=(notice,))
    stage.clock.advance(60)
    edit = stage.intent(Operation.EDIT, article=story, posted=posted, change="correction")
    edited = await stage.channel.edit(await stage.payload(edit), posted)
    [after] = stage.fake.visible()
    assert after.text.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")
    assert after.edited_at == stage.clock.now()
    assert after.card is not None
    async with stage.session.get(stage.root + after.card["image"]) as answer:
        assert await answer.read() == image()
    assert (edited.remote_id, edited.url) == (posted.remote_id, posted.url)
    minor = stage.intent(Operation.EDIT, article=story, posted=edited, change="minor")
    assert await stage.channel.compose(minor) is None


@pytest.mark.parametrize("media", ["card", "image"])
async def test_an_image_that_the_article_lost_goes_and_another_comes(
    stage: Stage, media: str
) -> None:
    channel = stage.connected(media=media)

    def pictures() -> list[str]:
        [seen] = stage.fake.visible()
        card = (seen.card or {}).get("image")
        return [one["url"] for one in seen.images] + ([card] if card else [])

    payload = await channel.compose(stage.intent())
    assert payload is not None
    posted = await channel.post(payload)
    stage.images[IMAGE_URL] = image(32, 32, "PNG")
    for story in (article(), article(lead_image=None)):
        edit = stage.intent(Operation.EDIT, article=story, posted=posted, change="minor")
        payload = await channel.compose(edit)
        assert payload is not None
        posted = await channel.edit(payload, posted)
        if story.lead_image:
            async with stage.session.get(stage.root + pictures()[0]) as answer:
                assert await answer.read() == image(32, 32, "PNG")
    assert pictures() == []


async def test_edit_of_a_message_that_someone_deleted_is_given_up(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    edit = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    with pytest.raises(GiveUp, match=r"Unknown Message \(10008\)"):
        await stage.channel.edit(await stage.payload(edit), posted)


async def test_an_image_that_changed_since_it_was_composed_is_refused(stage: Stage) -> None:
    payload = await stage.payload()
    stage.images[IMAGE_URL] = image(32, 32)
    with pytest.raises(GiveUp, match="no longer the one"):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []


async def test_a_refusal_names_the_field(stage: Stage) -> None:
    payload = await stage.payload()
    payload["embed"]["title"] = "x" * 257
    with pytest.raises(GiveUp, match=r"embeds\.0\.title: Must be 256 or fewer"):
        await stage.channel.post(payload)


async def test_check_tells_the_name_and_whether_it_takes_posts(stage: Stage) -> None:
    assert await stage.channel.check() == "Herald"
    stage.fake.kind = 2
    with pytest.raises(GiveUp, match="only follows"):
        await stage.channel.check()


async def test_the_webhook_is_asked_once_an_hour(stage: Stage) -> None:
    await stage.payload()
    stage.fake.token = "changed"
    await stage.payload()
    stage.clock.advance(3601)
    with pytest.raises(AuthDead):
        await stage.payload()


@pytest.mark.parametrize("wrong", [{"webhook_token": "wr0ng-t0ken"}, {"webhook_id": "9" * 18}])
async def test_wrong_credentials_are_auth_dead_and_appear_nowhere(
    stage: Stage, wrong: dict[str, str]
) -> None:
    channel = stage.connected(**wrong)
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead) as caught:
            await act
        assert "wr0ng-t0ken" not in repr(caught.value) + caught.value.reason


async def test_the_token_is_kept_out_of_the_words_of_a_garbled_answer(stage: Stage) -> None:
    """The HTTP client quotes the address, and with it the token, when an answer is no HTTP."""

    async def garbled(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"NOT HTTP AT ALL\r\n\r\n")
        await writer.drain()
        writer.close()

    payload = await stage.payload()
    server = await asyncio.start_server(garbled, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        channel = stage.connected(server=f"http://127.0.0.1:{port}")
        with pytest.raises(OutcomeUnknown) as caught:
            await channel.post(payload)
    assert stage.fake.token not in caught.value.reason
    assert f"{WEBHOOK_ID}/…" in caught.value.reason
    assert caught.value.__cause__ is None


async def test_a_server_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    payload = await stage.payload()
    with pytest.raises(TryAgain):
        await stage.connected(server=f"http://127.0.0.1:{unused_port()}").post(payload)


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "{}", '"sent"'])
async def test_something_that_is_no_discord_is_never_taken_for_success(
    stage: Stage, body: str
) -> None:
    async def page(_: web.BaseRequest) -> web.Response:
        return web.Response(text=body)

    async with RawTestServer(page) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(OutcomeUnknown):
            await channel.post(await stage.payload())


async def test_a_post_that_does_not_wait_is_told_nothing(stage: Stage) -> None:
    """The reason for `wait=true`: otherwise success and failure look the same."""
    url = f"{stage.root}/api/v10/webhooks/{WEBHOOK_ID}/{stage.fake.token}"
    headers = {"User-Agent": "DiscordBot (test, 1)"}
    async with stage.session.post(url, json={"content": "x"}, headers=headers) as answer:
        assert (answer.status, await answer.read()) == (204, b"")


SIX_THOUSAND_AND_ONE = [{"title": "x", "description": "y" * 3000}] * 2


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ({}, 50006, None),
        ({"content": " \n"}, 50006, None),
        ({"embeds": [{}]}, 50006, None),
        ({"content": "x" * 2001}, 50035, "content"),
        ({"content": "🇩🇪" * 501}, 50035, "content"),
        ({"content": 5}, 50035, "content"),
        ({"contents": "x"}, 50035, "contents"),
        ({"content": "x", "flags": 64}, 50035, "flags"),
        ({"embeds": [{"title": "x"}] * 11}, 50035, "embeds"),
        ({"embeds": SIX_THOUSAND_AND_ONE}, 50035, "embeds"),
        ({"embeds": [{"title": "x" * 257}]}, 50035, "embeds"),
        ({"embeds": [{"title": "x", "description": "y" * 4097}]}, 50035, "embeds"),
        ({"embeds": [{"title": "x", "url": "news.example"}]}, 50035, "embeds"),
        ({"embeds": [{"title": "x", "image": {"url": "attachment://a.jpg"}}]}, 50035, "embeds"),
        ({"embeds": [{"title": "x", "timestamp": "today"}]}, 50035, "embeds"),
        ({"content": "x", "attachments": [{"id": 0, "description": "y"}]}, 50035, "attachments"),
    ],
)
async def test_the_stand_in_refuses_a_bad_form(
    stage: Stage, body: dict[str, Any], code: int, where: str | None
) -> None:
    status, said = await stage.call("POST", params={"wait": "true"}, json=body)
    assert (status, said["code"]) == (400, code)
    assert list(said.get("errors", {})) == ([where] if where else [])
    assert stage.fake.creations() == []


@pytest.mark.parametrize(
    ("files", "alt", "status", "code"),
    [
        ({"files[1]": b"x"}, "", 400, 50035),
        ({"upload": b"x"}, "", 400, 50035),
        ({"files[0]": b"x"}, "y" * 1025, 400, 50035),
        ({"files[0]": bytes(10 * 1024 * 1024 + 1)}, "", 413, 40005),
    ],
)
async def test_the_stand_in_refuses_bad_files(
    stage: Stage, files: dict[str, bytes], alt: str, status: int, code: int
) -> None:
    form = aiohttp.FormData()
    body = {"content": "x", "attachments": [{"id": 0, "filename": "a.jpg", "description": alt}]}
    form.add_field("payload_json", json.dumps(body))
    for name, data in files.items():
        form.add_field(name, io.BytesIO(data), filename="a.jpg", content_type="image/jpeg")
    answered, said = await stage.call("POST", data=form)
    assert (answered, said["code"]) == (status, code)


async def test_the_stand_in_turns_away_what_does_not_say_who_it_is(stage: Stage) -> None:
    status, said = await stage.call("GET", headers={"User-Agent": "Python"})
    assert (status, said["code"]) == (403, 40333)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_the_stand_in_does_not_know_other_ids(stage: Stage, method: str) -> None:
    status, said = await stage.call(method, "/messages/5", json={"content": "x"})
    assert (status, said["code"]) == (404, 10008)
