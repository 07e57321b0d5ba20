"""The Telegram channel against its strict stand-in over a real loopback socket: outcomes, not calls."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestServer, unused_port
from PIL import Image

from services.social.channels import transport
from services.social.channels.base import FAULTS, Intent, Payload, Posted
from services.social.channels.telegram.channel import TelegramChannel
from services.social.channels.telegram.fake import CHAT_ID, TelegramFake
from services.social.channels.telegram.fake_faults import MOVED_TO
from services.social.channels.telegram.settings import TelegramSettings
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
    "kicked": AuthDead,
    "no_rights": AuthDead,
}
IMAGE_URL = "https://news.example/media/a.jpg"
PLAIN = {"chat_id": CHAT_ID, "text": "Hello."}


def image(width: int = 64, height: int = 48, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, kind)
    return buffer.getvalue()


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the <b>udget",
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

    fake: TelegramFake
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

    def connected(self, **changed: Any) -> TelegramChannel:
        account = TelegramSettings.model_validate({**self.fake.account(self.root), **changed})
        return TelegramChannel(account, self.session, self.fetch)

    async def fetch(self, url: str) -> bytes:
        return self.images[url]

    async def call(self, method: str, **more: Any) -> tuple[int, Any]:
        """A bare call with the bot's token, past the channel."""
        url = f"{self.root}/bot{self.fake.token}/{method}"
        async with self.session.post(url, **more) as answer:
            return answer.status, await answer.json()


Staging = Callable[[TelegramFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: TelegramFake) -> Stage:
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.add_subapp("/telegram", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            root = str(server.make_url("/telegram"))
            return Stage(fake, session, clock, root, {IMAGE_URL: image()})

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(TelegramFake(clock=clock.now))


async def test_posts_photo_text_and_link(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text.startswith("Council passes the <b>udget\n\nSchools get more")
    assert seen.link == "https://news.example/budget?utm_source=telegram&utm_medium=social"
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert await answer.read() == image()
    async with stage.session.get(seen.url) as page:
        assert "Council passes the &lt;b&gt;udget" in await page.text()


@pytest.mark.parametrize("media", ["photo", "preview"])
async def test_without_a_photo_readers_get_a_preview_of_the_link(stage: Stage, media: str) -> None:
    channel = stage.connected(media=media)
    story = article(lead_image=None) if media == "photo" else article()
    payload = await channel.compose(stage.intent(article=story))
    assert payload is not None
    await channel.post(payload)
    [seen] = stage.fake.visible()
    assert seen.images == ()
    assert seen.card is not None
    assert seen.card["uri"] == payload["link"]


async def test_wording_is_what_people_read(stage: Stage) -> None:
    payload = await stage.payload()
    await stage.channel.post(payload)
    wording = stage.channel.wording(payload)
    assert wording.text == stage.fake.visible()[0].text
    assert (wording.length, wording.limit) == (len(wording.text), 1024)


async def test_a_chat_without_a_name_has_an_address_by_its_number(stage: Stage) -> None:
    payload = await stage.payload()
    moved = stage.connected(chat=str(MOVED_TO), web="https://t.example")
    assert (await moved.post(payload)).url == f"https://t.example/c/{-MOVED_TO - 10**12}/1"


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


async def test_throttling_names_the_seconds_and_holds_the_account(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["rate_limited"] = 1
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (2.0, True)


async def test_a_used_up_limit_waits_until_there_is_room(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(TelegramFake(clock=clock.now, capacity={"chat": 1}))
    await stage.posted()
    with pytest.raises(TryAgain) as caught:
        await stage.posted()
    assert caught.value.after is not None
    assert 60 <= caught.value.after <= 61
    clock.advance(caught.value.after)
    await stage.posted()
    assert len(stage.fake.creations()) == 2


async def test_a_group_that_moved_is_followed_by_the_next_attempt(stage: Stage) -> None:
    before = await stage.posted()
    payload = await stage.payload()
    stage.fake.faults["moved"] = 1
    with pytest.raises(TryAgain, match=f"the chat is now {MOVED_TO}") as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (1.0, False)
    assert len(stage.fake.creations()) == 1
    posted = await stage.channel.post(payload)
    assert posted.extra["chat_id"] == MOVED_TO
    # What was posted before is still where it was.
    await stage.channel.delete(before)
    assert [post.id for post in stage.fake.visible()] == [posted.remote_id]


async def test_a_message_in_a_chat_that_moved_is_given_up(stage: Stage) -> None:
    posted = await stage.posted()
    stage.fake.faults["delete:moved"] = 1
    with pytest.raises(GiveUp, match="upgraded to a supergroup"):
        await stage.channel.delete(posted)


async def test_a_chat_of_the_past_that_lets_us_in_no_more_does_not_pause_the_account(
    stage: Stage,
) -> None:
    posted = await stage.posted()
    elsewhere = stage.connected(chat="@another_chat")
    stage.fake.faults["delete:kicked"] = 1
    with pytest.raises(GiveUp, match="kicked"):
        await elsewhere.delete(posted)
    await elsewhere.delete(posted)
    assert stage.fake.visible() == []


async def test_correction_is_public_and_keeps_photo_and_place(stage: Stage) -> None:
    posted = await stage.posted()
    before = stage.fake.visible()[0]
    notice = Correction(at=stage.clock.now(), kind="correction", text="It is 4 million, not 40.")
    story = article(corrections=(notice,))
    stage.clock.advance(60)
    edit = stage.intent(Operation.EDIT, article=story, posted=posted, change="correction")
    edited = await stage.channel.edit(await stage.payload(edit), posted)
    [after] = stage.fake.visible()
    assert after.text.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")
    assert after.edited_at == stage.clock.now()
    assert after.images == before.images
    assert (edited.remote_id, edited.url) == (posted.remote_id, posted.url)
    minor = stage.intent(Operation.EDIT, article=story, posted=edited, change="minor")
    assert await stage.channel.compose(minor) is None


async def test_another_lead_image_replaces_the_posted_one(stage: Stage) -> None:
    posted = await stage.posted()
    stage.images[IMAGE_URL] = image(32, 32, "PNG")
    edit = stage.intent(Operation.EDIT, posted=posted, change="minor")
    payload = await stage.payload(edit)
    edited = await stage.channel.edit(payload, posted)
    assert edited.extra["sha256"] != posted.extra["sha256"]
    [seen] = stage.fake.visible()
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (image(32, 32, "PNG"), "image/png")
    assert seen.text == payload["text"]


async def test_a_text_is_edited_as_text(stage: Stage) -> None:
    channel = stage.connected(media="preview")
    payload = await channel.compose(stage.intent())
    assert payload is not None
    posted = await channel.post(payload)
    changed = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    payload = await channel.compose(changed)
    assert payload is not None
    await channel.edit(payload, posted)
    [seen] = stage.fake.visible()
    assert seen.text.startswith("Other\n\n")
    assert seen.card is not None


async def test_edit_of_a_message_that_someone_deleted_is_given_up(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    edit = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    with pytest.raises(GiveUp, match="message to edit not found"):
        await stage.channel.edit(await stage.payload(edit), posted)


async def test_an_image_that_changed_since_it_was_composed_is_refused(stage: Stage) -> None:
    payload = await stage.payload()
    stage.images[IMAGE_URL] = image(32, 32)
    with pytest.raises(GiveUp, match="no longer the one"):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []


async def test_check_tells_the_chat_and_whether_the_bot_may_post(stage: Stage) -> None:
    assert await stage.channel.check() == "Herald"
    stage.fake.posting_allowed = False
    with pytest.raises(AuthDead, match="administrator"):
        await stage.channel.check()
    with pytest.raises(AuthDead, match="administrator rights"):
        await stage.posted()
    with pytest.raises(AuthDead, match="chat not found"):
        await stage.connected(chat="@somewhere_else").check()


@pytest.mark.parametrize("token", ["123456789:of-somebody-else", "wr0ng-t0ken"])
async def test_wrong_token_is_auth_dead_and_appears_nowhere(stage: Stage, token: str) -> None:
    channel = stage.connected(token=token)
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead) as caught:
            await act
        assert token not in repr(caught.value) + caught.value.reason


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
    assert "bot…/sendPhoto" in caught.value.reason
    assert caught.value.__cause__ is None


async def test_a_server_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    payload = await stage.payload()
    with pytest.raises(TryAgain):
        await stage.connected(server=f"http://127.0.0.1:{unused_port()}").post(payload)


@pytest.mark.parametrize("body", ["<html>Welcome</html>", '{"ok":true,"result":{}}', '{"ok":true}'])
async def test_something_that_is_no_bot_api_is_never_taken_for_success(
    stage: Stage, body: str
) -> None:
    async def page(_: web.BaseRequest) -> web.Response:
        return web.Response(text=body)

    async with RawTestServer(page) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(OutcomeUnknown):
            await channel.post(await stage.payload())


@pytest.mark.parametrize(
    ("method", "body", "words"),
    [
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {**PLAIN, "chat_id": "@nobody"}, "chat not found"),
        ("sendMessage", {**PLAIN, "text": " \n"}, "message text is empty"),
        ("sendMessage", {**PLAIN, "text": "x" * 4097}, "message is too long"),
        ("sendMessage", {**PLAIN, "text": "🇩🇪" * 1025}, "message is too long"),
        ("sendMessage", {**PLAIN, "text": 5}, "must be a string"),
        ("sendMessage", {**PLAIN, "txt": "x"}, "unknown field txt"),
        ("sendMessage", {**PLAIN, "parse_mode": "Marked"}, "unsupported parse_mode"),
        ("sendMessage", {**PLAIN, "parse_mode": "HTML", "text": "1 < 2"}, "Unsupported start tag"),
        ("sendMessage", {**PLAIN, "parse_mode": "HTML", "text": "<h1>x</h1>"}, 'start tag "h1"'),
        ("sendMessage", {**PLAIN, "parse_mode": "HTML", "text": "<b>x"}, "Can't find end tag"),
        ("sendMessage", {**PLAIN, "parse_mode": "HTML", "text": "x</b>"}, "Unexpected end tag"),
        ("sendMessage", {**PLAIN, "link_preview_options": {"link": "x"}}, "link preview options"),
        ("sendMessage", {**PLAIN, "link_preview_options": {"url": "x"}}, "WEBPAGE_URL_INVALID"),
        ("sendPhoto", {"chat_id": CHAT_ID, "caption": "x", "photo": "file-id"}, "no photo"),
        ("editMessageText", {**PLAIN, "message_id": 9}, "message to edit not found"),
        ("deleteMessage", {"chat_id": CHAT_ID, "message_id": "x"}, "message to delete not found"),
    ],
)
async def test_the_stand_in_refuses_a_bad_call(
    stage: Stage, method: str, body: dict[str, Any], words: str
) -> None:
    status, said = await stage.call(method, json=body)
    assert (status, said["error_code"], said["ok"]) == (400, 400, False)
    assert words in said["description"]
    assert stage.fake.creations() == []


async def test_the_stand_in_counts_after_entity_parsing(stage: Stage) -> None:
    text = f"<b>{'&lt;' * 4000}</b>" + "🇩🇪" * 24
    status, said = await stage.call(
        "sendMessage", json={**PLAIN, "text": text, "parse_mode": "HTML"}
    )
    assert status == 200, said


async def test_the_stand_in_refuses_an_edit_that_changes_nothing_or_is_of_the_wrong_kind(
    stage: Stage,
) -> None:
    _, made = await stage.call("sendMessage", json=PLAIN)
    which = {"message_id": made["result"]["message_id"]}
    _, said = await stage.call("editMessageText", json={**PLAIN, **which})
    assert said["description"].startswith("Bad Request: message is not modified: ")
    caption = {"chat_id": CHAT_ID, "caption": "x", **which}
    _, said = await stage.call("editMessageCaption", json=caption)
    assert said["description"] == "Bad Request: there is no caption in the message to edit"


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"not an image", 400, "IMAGE_PROCESS_FAILED"),
        (image()[:300], 400, "IMAGE_PROCESS_FAILED"),
        (image(kind="BMP"), 400, "PHOTO_EXT_INVALID"),
        (image(9000, 1001, "PNG"), 400, "PHOTO_INVALID_DIMENSIONS"),
        (image(2100, 100, "PNG"), 400, "PHOTO_INVALID_DIMENSIONS"),
        (image() + bytes(10 * 1024 * 1024), 413, "Request Entity Too Large"),
    ],
    ids=["text", "truncated", "bmp", "sides", "ratio", "bytes"],
)
async def test_the_stand_in_refuses_a_bad_photo(
    stage: Stage, data: bytes, status: int, words: str
) -> None:
    form = aiohttp.FormData()
    form.add_field("chat_id", str(CHAT_ID))
    form.add_field("photo", io.BytesIO(data), filename="a.jpg", content_type="image/jpeg")
    code, said = await stage.call("sendPhoto", data=form)
    assert (code, words in said["description"]) == (status, True)
