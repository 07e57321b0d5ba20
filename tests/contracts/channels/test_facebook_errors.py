"""The Facebook channel against its strict stand-in over a real loopback socket: outcomes, not calls."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from PIL import Image

from services.social.channels import transport
from services.social.channels.base import FAULTS, Intent, Payload, Posted
from services.social.channels.facebook.channel import FacebookChannel
from services.social.channels.facebook.fake import FacebookFake
from services.social.channels.facebook.settings import FacebookSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain
from shared.runtime.clock import ManualClock

OUTCOMES: dict[str, type[DeliveryError]] = {
    "error_before": OutcomeUnknown,
    "error_after": OutcomeUnknown,
    "hang_after": OutcomeUnknown,
    "disconnect_after": OutcomeUnknown,
    "rate_limited": TryAgain,
    "auth_dead": AuthDead,
    "refuse": GiveUp,
}
PICTURE = "https://news.example/media/a.jpg"
LINK = "https://news.example/budget?utm_source=facebook&utm_medium=social"


def jpeg(width: int = 64, height: int = 48, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, kind)
    return buffer.getvalue()


def article(**changed: Any) -> Article:
    size = {"width": 64, "height": 48, "media_type": "image/jpeg", "size": 900}
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the budget",
        "standfirst": "Schools get more (roads get less).",
        "body": "…",
        "body_html": "…",
        "section": "politics",
        "tags": ("local politics",),
        "language": "en-GB",
        "lead_image": LeadImage(
            media_id="m",
            alt="The town hall",
            renditions=(Rendition(name="wide", url=PICTURE, **size),),  # type: ignore[arg-type]
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

    fake: FacebookFake
    channel: FacebookChannel
    session: aiohttp.ClientSession
    clock: ManualClock
    root: str
    images: dict[str, bytes]

    def intent(self, operation: Operation = Operation.POST, **more: Any) -> Intent:
        given = {"key": "delivery-1", "article": article(), "now": self.clock.now()}
        return Intent(operation=operation, **{**given, **more})

    async def payload(self, intent: Intent | None = None) -> Payload:
        composed = await self.channel.compose(intent or self.intent())
        assert composed is not None
        return composed

    async def posted(self, **more: Any) -> Posted:
        return await self.channel.post(await self.payload(self.intent(**more)))

    def connected(self, **changed: Any) -> FacebookChannel:
        account = FacebookSettings.model_validate({**self.fake.account(self.root), **changed})
        return FacebookChannel(account, self.session, self.fetch, clock=self.clock.now)

    async def fetch(self, url: str) -> bytes:
        return self.images[url]

    async def call(self, method: str, path: str, **form: Any) -> tuple[int, dict[str, Any]]:
        """A bare call with the account's token, past the channel."""
        headers = {"Authorization": f"Bearer {self.fake.token}"}
        url = f"{self.root}/v25.0/{path}"
        async with self.session.request(method, url, headers=headers, data=form) as answer:
            return answer.status, await answer.json()


Staging = Callable[[FacebookFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: FacebookFake) -> Stage:
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.add_subapp("/facebook", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            root = str(server.make_url("/facebook"))
            stage = Stage(fake, None, session, clock, root, {PICTURE: jpeg()})  # type: ignore[arg-type]
            stage.channel = stage.connected()
            return stage

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(FacebookFake(clock=clock.now))


async def test_posts_text_with_link_picture_and_alt_text(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text.startswith("Council passes the budget\n\nSchools get more")
    assert seen.link == LINK
    assert seen.images[0]["alt"] == "The town hall"
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert await answer.read() == jpeg()
    async with stage.session.get(seen.url) as page:
        assert "roads get less" in await page.text()


@pytest.mark.parametrize("media", ["card", "image"])
async def test_without_picture_there_is_the_link_card(stage: Stage, media: str) -> None:
    channel = stage.connected(media=media)
    story = article(lead_image=None) if media == "image" else article()
    payload = await channel.compose(stage.intent(article=story))
    assert payload is not None
    posted = await channel.post(payload)
    [seen] = stage.fake.visible()
    assert (seen.link, seen.images, LINK in seen.text) == (LINK, (), False)
    assert (await channel.find(payload)) == posted


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_post_is_mapped_and_looked_up(stage: Stage, fault: str) -> None:
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(OUTCOMES[fault]):
        await stage.channel.post(payload)
    happened = fault.endswith("_after")
    assert len(stage.fake.creations()) == int(happened)
    found = await stage.channel.find(payload)
    assert (found is not None) is happened
    # Sent again by mistake it is refused as a repetition, and known by that.
    stage.clock.advance(1)
    again = await stage.channel.post(payload)
    assert again.remote_id == stage.fake.creations()[0].id
    assert len(stage.fake.creations()) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_an_edit_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    changed = article(headline="Other")
    payload = await stage.payload(
        stage.intent(Operation.EDIT, article=changed, posted=posted, change="minor")
    )
    stage.fake.faults[f"edit:{fault}"] = 1
    with pytest.raises(OUTCOMES[fault]):
        await stage.channel.edit(payload, posted)
    assert stage.fake.visible()[0].text.startswith("Other") is fault.endswith("_after")
    await stage.channel.edit(payload, posted)
    assert stage.fake.visible()[0].text.startswith("Other")
    assert len(stage.fake.creations()) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_deletion_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    stage.fake.faults[f"delete:{fault}"] = 1
    with pytest.raises(OUTCOMES[fault]):
        await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    assert stage.fake.visible() == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_picture_that_fails_leaves_nothing_posted(stage: Stage, fault: str) -> None:
    payload = await stage.payload()
    stage.fake.faults[f"media:{fault}"] = 1
    expected = {"auth_dead": AuthDead, "refuse": GiveUp}.get(fault, TryAgain)
    with pytest.raises(expected):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 1


async def test_a_picture_goes_with_its_post(stage: Stage) -> None:
    posted = await stage.posted()
    address = stage.root + stage.fake.visible()[0].images[0]["url"]
    await stage.channel.delete(posted)
    async with stage.session.get(address) as answer:
        assert answer.status == 404
    assert [post.deleted for post in stage.fake.creations()] == [True]


async def test_a_picture_that_changed_since_it_was_composed_is_given_up(stage: Stage) -> None:
    payload = await stage.payload()
    stage.images[PICTURE] = b"not a picture"
    with pytest.raises(GiveUp, match="no longer the one"):
        await stage.channel.post(payload)
    with pytest.raises(GiveUp, match="invalid image file"):
        await stage.posted()
    assert stage.fake.creations() == []


async def test_a_correction_is_public_and_keeps_picture_and_link(stage: Stage) -> None:
    posted = await stage.posted()
    before = stage.fake.visible()[0]
    notice = Correction(at=stage.clock.now(), kind="correction", text="It is 4 million, not 40.")
    stage.clock.advance(60)
    story = article(headline="Other", corrections=(notice,))
    edit = stage.intent(Operation.EDIT, article=story, posted=posted, change="correction")
    edited = await stage.channel.edit(await stage.payload(edit), posted)
    [after] = stage.fake.visible()
    assert after.text.startswith("Correction: It is 4 million, not 40.\n\nOther")
    assert (after.edited_at, after.images, after.link) == (stage.clock.now(), before.images, LINK)
    assert edited.extra["photo_id"] == posted.extra["photo_id"]
    minor = stage.intent(Operation.EDIT, article=story, posted=edited, change="minor")
    assert await stage.channel.compose(minor) is None


async def test_edit_of_a_post_that_someone_deleted_is_given_up(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    edit = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    with pytest.raises(GiveUp, match="does not exist"):
        await stage.channel.edit(await stage.payload(edit), posted)


async def test_a_repetition_that_is_not_ours_is_given_up(stage: Stage) -> None:
    await stage.posted()
    stage.clock.advance(3600)
    payload = await stage.payload()  # the same words, an hour later
    assert await stage.channel.find(payload) is None
    with pytest.raises(GiveUp, match=r"506.*no post of ours"):
        await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 1


async def test_find_does_not_take_a_visitors_post_for_ours(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.visited(f"Look: {LINK}")
    assert await stage.channel.find(payload) is None
    posted = await stage.channel.post(payload)
    stage.fake.visited(f"Look again: {LINK}")
    found = await stage.channel.find(payload)
    assert found is not None
    assert found.remote_id == posted.remote_id


async def test_find_turns_pages_and_says_when_it_cannot_be_sure(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    for number in range(60):
        stage.fake.visited(str(number))
    found = await stage.channel.find(payload)
    assert found is not None
    assert found.remote_id == posted.remote_id
    for number in range(190):
        stage.fake.visited(str(number))
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(payload)


async def test_budget_is_told_in_percent_and_a_used_up_hour_waits(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(FacebookFake(clock=clock.now, hourly=4))
    await stage.channel.check()
    first = stage.channel.budget
    assert first is not None
    assert (first.limit, first.remaining) == (100, 75)
    await stage.posted()  # two calls: the picture and the post
    await stage.channel.check()
    assert stage.channel.budget is not None
    assert stage.channel.budget.remaining == 0
    assert stage.channel.budget.resets_at > clock.now()
    with pytest.raises(TryAgain, match="error 4") as caught:
        await stage.posted(article=article(headline="Other"))
    assert (caught.value.after, caught.value.whole_account) == (900, True)
    assert len(stage.fake.creations()) == 1


async def test_an_injected_throttle_waits_as_long_as_it_says(stage: Stage) -> None:
    stage.fake.faults["rate_limited"] = 1
    with pytest.raises(TryAgain) as caught:
        await stage.posted()
    assert (caught.value.after, caught.value.whole_account) == (60, True)
    assert stage.channel.budget is not None
    assert stage.channel.budget.remaining == 0


async def test_wrong_token_is_auth_dead_and_appears_nowhere(stage: Stage) -> None:
    channel = stage.connected(access_token="wr0ng-t0ken")
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead) as caught:
            await act
        assert "wr0ng-t0ken" not in repr(caught.value) + caught.value.reason
    assert await stage.channel.check() == "Herald"


async def test_a_server_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    channel = stage.connected(server=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(TryAgain):
        await channel.post({**await stage.payload(), "image": None})


async def test_something_that_is_no_facebook_is_never_taken_for_success(stage: Stage) -> None:
    answers = iter(["<html>Welcome</html>", "[]", '{"success": false}', "{}"])

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=next(answers))

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", page)
    payload = {**await stage.payload(), "image": None}
    async with TestServer(app) as server:
        channel = stage.connected(server=str(server.make_url("")))
        for act in (
            channel.post(payload),
            channel.post(payload),
            channel.delete(Posted(remote_id="1_1")),
        ):
            with pytest.raises(OutcomeUnknown):
                await act
        with pytest.raises(TryAgain):
            await channel.check()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Missing message"),
        ({"message": " "}, "Missing message"),
        ({"message": "x", "title": "y"}, "Unexpected key title"),
        ({"message": "x" * 63_207}, "longer than 63206"),
        ({"message": "👍" * 31_604}, "longer than 63206"),
        ({"link": "news"}, "invalid"),
        ({"message": "x", "attached_media[0]": "7"}, "must be an object"),
        ({"message": "x", "attached_media[0]": '{"media_fbid":"7"}'}, "does not exist"),
        ({"link": LINK, "attached_media[0]": '{"media_fbid":"7"}'}, "Only one of"),
    ],
)
async def test_the_stand_in_refuses_a_bad_post(
    stage: Stage, form: dict[str, Any], words: str
) -> None:
    status, said = await stage.call("POST", "104729000000001/feed", **form)
    assert (status, words in said["error"]["message"]) == (400, True), said
    assert stage.fake.creations() == []


async def test_the_stand_in_posts_a_photo_once_and_refuses_bad_ones(stage: Stage) -> None:
    posted = await stage.posted()
    attached = f'{{"media_fbid":"{posted.extra["photo_id"]}"}}'
    again = {"message": "again", "attached_media[0]": attached}
    status, said = await stage.call("POST", "104729000000001/feed", **again)
    assert (status, said["error"]["error_subcode"]) == (400, 1_366_051)
    for data, words in (
        (b"not a picture", "invalid image"),
        (jpeg(kind="BMP"), "JPG or PNG"),
        (jpeg() + bytes(4_000_000), "larger than 4 MB"),
    ):
        form = {"source": io.BytesIO(data), "published": "false"}
        status, said = await stage.call("POST", "104729000000001/photos", **form)
        assert (status, words in said["error"]["message"]) == (400, True), said
    status, said = await stage.call("POST", "104729000000001/photos", published="true")
    assert (status, said["error"]["code"]) == (400, 324)


async def test_the_stand_in_changes_nothing_but_the_message(stage: Stage) -> None:
    posted = await stage.posted()
    for form in ({"link": "https://a.b"}, {"message": "x", "link": "https://a.b"}):
        status, _ = await stage.call("POST", posted.remote_id, **form)
        assert status == 400
    assert stage.fake.visible()[0].edited_at is None
