"""The Slack channel against its strict stand-in over a real loopback socket: outcomes, not calls."""

from __future__ import annotations

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
from services.social.channels.slack.channel import SlackChannel
from services.social.channels.slack.fake import CHANNEL, SlackFake
from services.social.channels.slack.settings import SlackSettings
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
    "fatal_after": OutcomeUnknown,
    "not_in_channel": AuthDead,
    "archived": AuthDead,
    "request_timeout": TryAgain,
}
HELLO = {"channel": CHANNEL, "text": "Hello."}


def image(width: int = 64, height: int = 48, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, kind)
    return buffer.getvalue()


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the <!channel> budget",
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
                    url="https://news.example/media/a.jpg",
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

    fake: SlackFake
    session: aiohttp.ClientSession
    clock: ManualClock
    root: str

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

    def connected(self, **changed: Any) -> SlackChannel:
        account = SlackSettings.model_validate({**self.fake.account(self.root), **changed})
        return SlackChannel(account, self.session, clock=self.clock.now)

    def pictured(self, path: str) -> Article:
        """An article whose lead image is at `path` of the site beside the stand-in."""
        lead = article().lead_image
        [one] = lead.renditions
        one = one.model_copy(update={"url": self.root.removesuffix("/slack") + path})
        return article(lead_image=lead.model_copy(update={"renditions": (one,)}))

    async def call(self, method: str, verb: str = "POST", **more: Any) -> Any:
        """A bare call with the bot's token, past the channel."""
        headers = {"Authorization": f"Bearer {self.fake.token}"}
        url = f"{self.root}/api/{method}"
        async with self.session.request(verb, url, headers=headers, **more) as answer:
            assert answer.status == 200
            return await answer.json()


Staging = Callable[[SlackFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []

    async def media(request: web.Request) -> web.Response:
        data = {"a.jpg": image(), "b.txt": b"no image"}.get(request.match_info["name"])
        if data is None:
            raise web.HTTPNotFound
        return web.Response(body=data, content_type="image/jpeg")

    async with aiohttp.ClientSession() as session:

        async def start(fake: SlackFake) -> Stage:
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.router.add_get("/media/{name}", media)
            app.add_subapp("/slack", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            return Stage(fake, session, clock, str(server.make_url("/slack")))

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(SlackFake(clock=clock.now))


async def test_posts_text_link_image_and_alt(stage: Stage) -> None:
    payload = await stage.payload(stage.intent(article=stage.pictured("/media/a.jpg")))
    posted = await stage.channel.post(payload)
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text.startswith("Council passes the <!channel> budget\n\nSchools get more")
    assert seen.link == "https://news.example/budget?utm_source=slack&utm_medium=social"
    assert seen.images[0]["alt"] == "The town hall"
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (image(), "image/jpeg")
    async with stage.session.get(seen.url) as page:
        assert "&lt;!channel&gt; budget" in await page.text()


@pytest.mark.parametrize("path", ["/media/none.jpg", "/media/b.txt"])
async def test_an_image_that_the_network_cannot_fetch_is_given_up(stage: Stage, path: str) -> None:
    payload = await stage.payload(stage.intent(article=stage.pictured(path)))
    with pytest.raises(GiveUp, match=r"invalid_blocks; .*downloading image failed"):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []


async def test_without_image_readers_get_the_link_card(stage: Stage) -> None:
    channel = stage.connected(media="card")
    payload = await channel.compose(stage.intent())
    assert payload is not None
    posted = await channel.post(payload)
    changed = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    edited = await channel.compose(changed)
    assert edited is not None
    await channel.edit(edited, posted)
    [seen] = stage.fake.visible()
    assert seen.images == ()
    assert seen.card is not None
    assert seen.card["uri"] == payload["link"]
    assert seen.text.startswith("Other")


async def test_wording_is_what_people_read(stage: Stage) -> None:
    payload = await stage.payload()
    await stage.channel.post(payload)
    wording = stage.channel.wording(payload)
    assert wording.text == stage.fake.visible()[0].text
    # Two brackets of the mention, two of the link and one ampersand are longer when they are sent.
    assert (wording.length, wording.limit) == (len(wording.text) + 2 * 3 + 2 + 4, 3000)


@pytest.mark.parametrize("fault", REFUSALS)
async def test_each_fault_of_a_post_is_mapped_and_looked_up(stage: Stage, fault: str) -> None:
    assert set(FAULTS) <= set(REFUSALS)
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.post(payload)
    happened = fault.endswith("_after")
    assert len(stage.fake.creations()) == int(happened)
    found = await stage.channel.find(payload)
    assert (found is not None) is happened
    if found is not None:
        assert found.remote_id == stage.fake.creations()[0].id


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


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_look_up_that_fails_is_never_an_answer(stage: Stage, fault: str) -> None:
    payload = await stage.payload()
    await stage.channel.post(payload)
    stage.fake.faults[f"read:{fault}"] = 2  # the HTTP client reads once more when it is cut off
    expected = TryAgain if REFUSALS[fault] is OutcomeUnknown else REFUSALS[fault]
    with pytest.raises(expected):
        await stage.channel.find(payload)
    stage.fake.faults[f"read:{fault}"] = 0
    assert await stage.channel.find(payload) is not None


async def test_find_knows_the_whole_post(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    assert await stage.channel.find(payload) == posted


async def test_find_takes_nothing_that_others_wrote_or_that_is_gone_or_older(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.say(f"Have you seen <{payload['link'].replace('&', '&amp;')}>?")
    assert await stage.channel.find(payload) is None
    posted = await stage.channel.post(payload)
    stage.clock.advance(3600)
    again = await stage.payload(stage.intent(key="delivery-2"))
    assert await stage.channel.find(again) is None
    await stage.channel.delete(posted)
    assert await stage.channel.find(payload) is None


async def test_find_turns_pages_and_says_when_it_cannot_be_sure(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    for _ in range(999):
        stage.fake.say("And now to something else.")
    found = await stage.channel.find(payload)
    assert found is not None
    assert found.remote_id == posted.remote_id
    stage.fake.say("One more.")
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(payload)


async def test_throttling_names_the_seconds_and_holds_the_account(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(SlackFake(clock=clock.now, capacity=1))
    payload = await stage.payload()
    stage.fake.faults["rate_limited"] = 1
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (2.0, True)
    await stage.channel.post(payload)
    clock.advance(20)
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert caught.value.after == 41.0
    clock.advance(41)
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 2


async def test_correction_is_public_and_keeps_image_and_place(stage: Stage) -> None:
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


async def test_a_channel_of_the_past_that_lets_us_in_no_more_does_not_pause_the_account(
    stage: Stage,
) -> None:
    posted = await stage.posted()
    elsewhere = stage.connected(channel="C0ELSEWHERE")
    stage.fake.faults["delete:archived"] = 1
    with pytest.raises(GiveUp, match="is_archived"):
        await elsewhere.delete(posted)
    await elsewhere.delete(posted)
    assert stage.fake.visible() == []


async def test_edit_of_a_message_that_someone_deleted_is_given_up(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    edit = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    with pytest.raises(GiveUp, match="message_not_found"):
        await stage.channel.edit(await stage.payload(edit), posted)


async def test_check_makes_sure_of_scopes_and_channel(stage: Stage) -> None:
    assert await stage.channel.check() == "herald in Newsroom"
    with pytest.raises(AuthDead, match="channel_not_found"):
        await stage.connected(channel="C0ELSEWHERE").check()
    stage.fake.scopes = "chat:write"
    with pytest.raises(AuthDead, match="needed: channels:history or groups:history"):
        await stage.channel.check()
    stage.fake.scopes = "channels:history"
    with pytest.raises(AuthDead, match="missing_scope; needed: chat:write"):
        await stage.posted()


async def test_who_the_bot_is_is_asked_once_an_hour(stage: Stage) -> None:
    await stage.payload()
    stage.fake.token = "changed"
    await stage.payload()
    stage.clock.advance(3601)
    with pytest.raises(AuthDead):
        await stage.payload()


async def test_wrong_token_is_auth_dead_and_appears_nowhere(stage: Stage) -> None:
    channel = stage.connected(token="xoxb-wr0ng")
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead, match="invalid_auth") as caught:
            await act
        assert "wr0ng" not in repr(caught.value) + caught.value.reason


async def test_a_server_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    payload = await stage.payload()
    with pytest.raises(TryAgain):
        await stage.connected(server=f"http://127.0.0.1:{unused_port()}").post(payload)


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "{}", '{"ok":true}', '{"ok":1}', "ok"])
async def test_something_that_is_no_slack_is_never_taken_for_success(
    stage: Stage, body: str
) -> None:
    async def page(_: web.BaseRequest) -> web.Response:
        return web.Response(text=body)

    async with RawTestServer(page) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(OutcomeUnknown):
            await channel.post(await stage.payload())


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (200, "team_added_to_org", TryAgain),
        (200, "message_limit_exceeded", TryAgain),
        (200, "service_unavailable", OutcomeUnknown),
        (200, "internal_error", OutcomeUnknown),
        (200, "account_inactive", AuthDead),
        (200, "token_expired", AuthDead),
        (200, "restricted_action", AuthDead),
        (200, "msg_too_long", GiveUp),
        (200, "something_new", GiveUp),
        (403, "whatever", AuthDead),
        (400, "whatever", GiveUp),
    ],
)
async def test_each_documented_error_is_mapped(
    stage: Stage, status: int, error: str, outcome: type[DeliveryError]
) -> None:
    async def refuse(_: web.BaseRequest) -> web.Response:
        return web.json_response({"ok": False, "error": error}, status=status)

    async with RawTestServer(refuse) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(outcome, match=error):
            await channel.post(await stage.payload())


SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
IMAGE = {"type": "image", "image_url": "https://news.example/a.jpg", "alt_text": "x"}


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
        ("chat.postMessage", {**HELLO, "channel": "C0ELSEWHERE"}, "channel_not_found"),
        ("chat.postMessage", {**HELLO, "txt": "x"}, "invalid_arguments"),
        ("chat.postMessage", {**HELLO, "text": 5}, "invalid_arguments"),
        ("chat.postMessage", {**HELLO, "parse": "some"}, "invalid_arguments"),
        ("chat.postMessage", {**HELLO, "blocks": [SECTION] * 51}, "invalid_blocks"),
        ("chat.postMessage", {**HELLO, "blocks": [{"type": "poem"}]}, "invalid_blocks"),
        (
            "chat.postMessage",
            {**HELLO, "blocks": [{**SECTION, "text": {"type": "mrkdwn", "text": "🇩🇪" * 751}}]},
            "invalid_blocks",
        ),
        ("chat.postMessage", {**HELLO, "blocks": [{**IMAGE, "alt_text": ""}]}, "invalid_blocks"),
        (
            "chat.postMessage",
            {**HELLO, "blocks": [{**IMAGE, "alt_text": "x" * 2001}]},
            "invalid_blocks",
        ),
        ("chat.postMessage", {**HELLO, "blocks": [{**IMAGE, "image_url": "a"}]}, "invalid_blocks"),
        ("chat.update", {**HELLO, "ts": "1.000000"}, "message_not_found"),
        ("chat.delete", {**HELLO, "ts": "1.000000"}, "invalid_arguments"),
        ("chat.delete", {"channel": CHANNEL, "ts": "1.000000"}, "message_not_found"),
        ("chat.shout", HELLO, "unknown_method"),
    ],
)
async def test_the_stand_in_refuses_a_bad_call(
    stage: Stage, method: str, body: dict[str, Any], error: str
) -> None:
    said = await stage.call(method, json=body)
    assert (said["ok"], said["error"]) == (False, error)
    assert stage.fake.creations() == []


async def test_the_stand_in_refuses_an_edit_that_is_too_long_or_of_anothers_message(
    stage: Stage,
) -> None:
    made = await stage.call("chat.postMessage", json=HELLO)
    long = {**HELLO, "ts": made["ts"], "text": "x" * 4001}
    assert (await stage.call("chat.update", json=long))["error"] == "msg_too_long"
    stage.fake.say("Somebody else's.")
    history = await stage.call("conversations.history", "GET", params={"channel": CHANNEL})
    theirs = {**HELLO, "ts": history["messages"][0]["ts"]}
    assert (await stage.call("chat.update", json=theirs))["error"] == "cant_update_message"


async def test_the_stand_in_cuts_a_long_post_without_a_word(stage: Stage) -> None:
    """The reason for our own limit."""
    await stage.call("chat.postMessage", json={**HELLO, "text": "x" * 40_001})
    assert len(stage.fake.visible()[0].text) == 40_000
