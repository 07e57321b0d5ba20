"""The Mastodon channel against its strict stand-in over a real loopback socket: outcomes, not calls."""

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
from aiohttp.test_utils import TestServer, unused_port
from PIL import Image

from services.social.channels import transport
from services.social.channels.base import FAULTS, Intent, Payload, Posted
from services.social.channels.mastodon import CHANNEL
from services.social.channels.mastodon.channel import MastodonChannel
from services.social.channels.mastodon.fake import MastodonFake
from services.social.channels.mastodon.settings import MastodonSettings
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
}


def jpeg(width: int = 64, height: int = 48, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, kind)
    return buffer.getvalue()


def upload(data: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(data), filename="a.jpg", content_type="image/jpeg")
    return form


def article(**changed: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example/budget",
        "headline": "Council passes the budget",
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

    fake: MastodonFake
    channel: MastodonChannel
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

    async def posted(self) -> Posted:
        return await self.channel.post(await self.payload())

    def connected(self, **changed: Any) -> MastodonChannel:
        account = MastodonSettings.model_validate({**self.fake.account(self.root), **changed})
        return MastodonChannel(account, self.session, self.fetch, clock=self.clock.now)

    async def fetch(self, url: str) -> bytes:
        return self.images[url]

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """A bare call with the account's token, past the channel."""
        headers = {"Authorization": f"Bearer {self.fake.token}", **more.pop("headers", {})}
        url = f"{self.root}{path}"
        async with self.session.request(method, url, headers=headers, **more) as answer:
            return answer.status, await answer.json()


Staging = Callable[[MastodonFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: MastodonFake) -> Stage:
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.add_subapp("/mastodon", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            root = str(server.make_url("/mastodon"))
            stage = Stage(
                fake, None, session, clock, root, {"https://news.example/media/a.jpg": jpeg()}
            )
            stage.channel = stage.connected()
            return stage

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(MastodonFake(clock=clock.now))


async def test_posts_text_link_image_alt_and_language(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text.startswith("Council passes the budget\n\nSchools get more")
    assert seen.link == "https://news.example/budget?utm_source=mastodon&utm_medium=social"
    assert seen.language == "en"
    assert seen.images[0]["alt"] == "The town hall"
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert await answer.read() == jpeg()
    async with stage.session.get(seen.url) as page:
        assert page.status == 200
        assert 'href="https://news.example/budget?utm_source=mastodon&amp;' in await page.text()


async def test_without_image_readers_get_the_link_card(stage: Stage) -> None:
    channel = stage.connected(media="card")
    payload = await channel.compose(stage.intent())
    assert payload is not None
    await channel.post(payload)
    [seen] = stage.fake.visible()
    assert seen.images == ()
    assert seen.card is not None
    assert seen.card["uri"] == payload["link"]


async def test_the_same_payload_twice_is_one_post(stage: Stage) -> None:
    payload = await stage.payload()
    first = await stage.channel.post(payload)
    again = await stage.channel.post(payload)
    assert first.remote_id == again.remote_id
    assert len(stage.fake.creations()) == 1


async def test_the_network_forgets_the_key_after_an_hour(stage: Stage) -> None:
    """The reason for `idempotent_seconds`: past it, the same payload would make a second post."""
    payload = await stage.payload()
    await stage.channel.post(payload)
    trusted = CHANNEL.capabilities.idempotent_seconds
    assert trusted is not None
    stage.clock.advance(trusted)
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 1
    stage.clock.advance(3600 - trusted)
    assert await stage.channel.find(payload) is not None
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 2


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_post_is_mapped(stage: Stage, fault: str) -> None:
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.post(payload)
    happened = fault.endswith("_after")
    assert len(stage.fake.creations()) == int(happened)
    found = await stage.channel.find(payload)
    assert (found is not None) is happened
    assert (await stage.channel.post(payload)).remote_id == stage.fake.creations()[0].id
    assert len(stage.fake.creations()) == 1


@pytest.mark.parametrize("fault", FAULTS)
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
    happened = fault.endswith("_after")
    assert stage.fake.visible()[0].text.startswith("Other") is happened
    await stage.channel.edit(payload, posted)
    assert stage.fake.visible()[0].text.startswith("Other")
    assert len(stage.fake.creations()) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_deletion_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    stage.fake.faults[f"delete:{fault}"] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    assert stage.fake.visible() == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("error_before", TryAgain),
        ("error_after", TryAgain),
        ("hang_after", TryAgain),
        ("disconnect_after", TryAgain),
        ("rate_limited", TryAgain),
        ("auth_dead", AuthDead),
        ("refuse", GiveUp),
    ],
)
async def test_an_image_that_fails_leaves_nothing_posted(
    stage: Stage, fault: str, error: type[DeliveryError]
) -> None:
    payload = await stage.payload()
    stage.fake.faults[f"media:{fault}"] = 1
    with pytest.raises(error):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 1


async def test_waits_for_an_image_that_is_being_processed(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(MastodonFake(clock=clock.now, processing=2))
    await stage.posted()
    assert stage.fake.visible()[0].images[0]["alt"] == "The town hall"


async def test_an_image_that_changed_since_it_was_composed_is_refused(stage: Stage) -> None:
    payload = await stage.payload()
    stage.images["https://news.example/media/a.jpg"] = jpeg(32, 32)
    with pytest.raises(GiveUp, match="no longer the one"):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []


async def test_correction_is_public_and_keeps_image_and_place(stage: Stage) -> None:
    posted = await stage.posted()
    before = stage.fake.visible()[0]
    notice = Correction(at=stage.clock.now(), kind="correction", text="It is 4 million, not 40.")
    story = article(
        corrections=(notice,), lead_image=article().lead_image.model_copy(update={"alt": "Hall"})
    )
    stage.clock.advance(60)
    edit = stage.intent(Operation.EDIT, article=story, posted=posted, change="correction")
    edited = await stage.channel.edit(await stage.payload(edit), posted)
    [after] = stage.fake.visible()
    assert after.text.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")
    assert after.edited_at == stage.clock.now()
    assert [one["url"] for one in after.images] == [one["url"] for one in before.images]
    assert after.images[0]["alt"] == "Hall"
    assert (edited.remote_id, edited.url) == (posted.remote_id, posted.url)
    minor = stage.intent(Operation.EDIT, article=story, posted=edited, change="minor")
    assert await stage.channel.compose(minor) is None


async def test_another_lead_image_replaces_the_posted_one(stage: Stage) -> None:
    posted = await stage.posted()
    stage.images["https://news.example/media/a.jpg"] = jpeg(32, 32)
    edit = stage.intent(Operation.EDIT, posted=posted, change="minor")
    edited = await stage.channel.edit(await stage.payload(edit), posted)
    assert edited.extra["media_id"] != posted.extra["media_id"]
    assert len(stage.fake.visible()[0].images) == 1


async def test_edit_of_a_post_that_someone_deleted_is_refused(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    edit = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    with pytest.raises(GiveUp, match="Record not found"):
        await stage.channel.edit(await stage.payload(edit), posted)


async def test_delete_twice_is_success_and_the_post_stays_counted(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    assert stage.fake.visible() == []
    assert [post.deleted for post in stage.fake.creations()] == [True]


async def test_a_late_repeat_does_not_bring_a_deleted_post_back(stage: Stage) -> None:
    payload = await stage.payload()
    await stage.channel.delete(await stage.channel.post(payload))
    with pytest.raises(GiveUp):
        await stage.channel.post(payload)
    assert await stage.channel.find(payload) is None
    assert len(stage.fake.creations()) == 1


async def test_find_knows_the_whole_post(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    assert await stage.channel.find(payload) == posted


async def test_find_ignores_the_post_of_an_earlier_publication(stage: Stage) -> None:
    await stage.posted()
    stage.clock.advance(3600)
    again = await stage.payload(stage.intent(key="delivery-2"))
    assert await stage.channel.find(again) is None


async def test_find_turns_pages_and_says_when_it_cannot_be_sure(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(MastodonFake(clock=clock.now, capacity={"api": 900}))
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    others = [await stage.call("POST", "/api/v1/statuses", json={"status": "x"}) for _ in range(60)]
    assert {status for status, _ in others} == {200}
    found = await stage.channel.find(payload)
    assert found is not None
    assert found.remote_id == posted.remote_id
    for _ in range(140):
        await stage.call("POST", "/api/v1/statuses", json={"status": "x"})
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(payload)


async def test_budget_follows_the_headers_of_every_answer(stage: Stage) -> None:
    assert stage.channel.budget is None
    await stage.channel.check()
    first = stage.channel.budget
    assert first is not None
    assert (first.limit, first.remaining) == (300, 299)
    assert first.resets_at == datetime(2026, 11, 23, 9, 35, tzinfo=UTC)
    await stage.channel.check()
    assert stage.channel.budget is not None
    assert stage.channel.budget.remaining == 298


async def test_a_used_up_limit_waits_until_the_reset_of_its_window(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(MastodonFake(clock=clock.now, capacity={"statuses": 1}))
    await stage.posted()
    payload = await stage.payload(stage.intent(key="delivery-2"))
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    # 09:30 lies in the three-hour window that ends at 12:00 UTC.
    assert (caught.value.after, caught.value.whole_account) == (2.5 * 3600, True)
    assert stage.channel.budget is not None
    assert stage.channel.budget.remaining == 0
    stage.clock.advance(caught.value.after)
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 2


async def test_limits_are_read_once_an_hour(stage: Stage) -> None:
    await stage.payload()
    used = stage.fake._windows["api"]._used
    await stage.payload()
    assert stage.fake._windows["api"]._used == used
    stage.clock.advance(3601)
    await stage.payload()
    assert stage.fake._windows["api"]._used == 1  # a fresh window, and one call in it


async def test_wrong_token_is_auth_dead_and_appears_nowhere(stage: Stage) -> None:
    channel = stage.connected(access_token="wr0ng-t0ken")
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead) as caught:
            await act
        assert "wr0ng-t0ken" not in repr(caught.value) + caught.value.reason
    assert await stage.channel.check() == "Herald"


async def test_a_server_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    payload = await stage.payload()
    channel = stage.connected(server=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(TryAgain):
        await channel.post({**payload, "image": None})


async def test_something_that_is_no_mastodon_is_never_taken_for_success(stage: Stage) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", page)
    async with TestServer(app) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(OutcomeUnknown):
            await channel.post({**await stage.payload(), "image": None})
        with pytest.raises(TryAgain):
            await channel.check()


@pytest.mark.parametrize("leaves", ["client", "server"])
async def test_a_hanging_answer_ends_with_its_client_or_its_server(leaves: str) -> None:
    fake = MastodonFake()
    fake.faults["hang_after"] = 1
    app = fake.app()
    if leaves == "client":
        app.on_shutdown.clear()  # so that only the client's leaving can end it
    runner = web.AppRunner(app, shutdown_timeout=30)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1/statuses"
    headers = {"Authorization": f"Bearer {fake.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        hanging = asyncio.create_task(session.post(url, json={"status": "x"}))
        while not fake.creations():
            await asyncio.sleep(0.01)
        assert not hanging.done()
        if leaves == "client":
            hanging.cancel()
        async with asyncio.timeout(2):
            await runner.cleanup()
        await asyncio.gather(hanging, return_exceptions=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "can't be blank"),
        ({"status": " \n"}, "can't be blank"),
        ({"status": "x" * 501}, "character limit of 500 exceeded"),
        ({"status": "x\x00"}, "invalid"),
        ({"status": 5}, "invalid"),
        ({"status": "x", "media_ids": ["9"]}, "Media 9 not found"),
        ({"status": "x", "media_ids": ["1", "2", "3", "4", "5"]}, "more than 4"),
        ({"status": "x", "visibility": "secret"}, "Visibility"),
    ],
)
async def test_the_stand_in_refuses_a_bad_status(
    stage: Stage, body: dict[str, Any], words: str
) -> None:
    status, said = await stage.call("POST", "/api/v1/statuses", json=body)
    assert status == 422
    assert words in said["error"]
    assert stage.fake.creations() == []


async def test_the_stand_in_takes_a_status_of_exactly_500(stage: Stage) -> None:
    text = "👨‍👩‍👧‍👦" * 476 + " https://example.org/" + "a" * 200
    status, said = await stage.call("POST", "/api/v1/statuses", json={"status": text})
    assert (status, len(stage.fake.creations())) == (200, 1), said


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not an image", "content type is invalid"),
        (jpeg(kind="BMP"), "content type is invalid"),
        (jpeg()[:300], "content type is invalid"),
        (jpeg(8000, 4200, "PNG"), "8000x4200 images are not supported"),
    ],
    ids=["text", "bmp", "truncated", "pixels"],
)
async def test_the_stand_in_refuses_a_bad_image(stage: Stage, data: bytes, words: str) -> None:
    status, said = await stage.call("POST", "/api/v2/media", data=upload(data))
    assert status == 422
    assert words in said["error"]


async def test_the_stand_in_refuses_an_image_above_16_mb(stage: Stage) -> None:
    data = jpeg() + bytes(16 * 1024 * 1024)
    status, said = await stage.call("POST", "/api/v2/media", data=upload(data))
    assert (status, "less than or equal to 16 MB" in said["error"]) == (422, True)


async def test_the_stand_in_refuses_a_description_that_is_too_long(stage: Stage) -> None:
    form = upload(jpeg())
    form.add_field("description", "x" * 1501)
    status, said = await stage.call("POST", "/api/v2/media", data=form)
    assert (status, "Description is too long" in said["error"]) == (422, True)


async def test_the_stand_in_refuses_an_image_in_use_or_in_work(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(MastodonFake(clock=clock.now, processing=1))
    form = upload(jpeg())
    status, media = await stage.call("POST", "/api/v2/media", data=form)
    assert (status, media["url"]) == (202, None)
    body = {"status": "x", "media_ids": [media["id"]]}
    status, said = await stage.call("POST", "/api/v1/statuses", json=body)
    assert (status, "not finished processing" in said["error"]) == (422, True)
    path = f"/api/v1/media/{media['id']}"
    assert [(await stage.call("GET", path))[0] for _ in range(2)] == [206, 200]
    assert (await stage.call("POST", "/api/v1/statuses", json=body))[0] == 200
    status, said = await stage.call("POST", "/api/v1/statuses", json=body)
    assert (status, "already attached" in said["error"]) == (422, True)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_the_stand_in_does_not_know_other_ids(stage: Stage, method: str) -> None:
    status, said = await stage.call(method, "/api/v1/statuses/5", json={"status": "x"})
    assert (status, said) == (404, {"error": "Record not found"})


async def test_the_stand_in_refuses_a_missing_token(stage: Stage) -> None:
    url = f"{stage.root}/api/v1/statuses"
    async with stage.session.post(url, json={"status": "x"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (
            401,
            "The access token is invalid",
        )
