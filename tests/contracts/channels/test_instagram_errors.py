"""The Instagram channel against its strict stand-in over a real loopback socket: outcomes, not calls."""

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
from services.social.channels.instagram import containers
from services.social.channels.instagram.channel import InstagramChannel
from services.social.channels.instagram.fake import InstagramFake
from services.social.channels.instagram.settings import InstagramSettings
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
USER = "17841400000000001"
SAID = "It is 4 million, not 40."


def jpeg(width: int = 640, height: int = 480, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, kind)
    return buffer.getvalue()


@dataclass
class Stage:
    """A running stand-in below a path, as in the sandbox, with our own pictures beside it."""

    fake: InstagramFake
    channel: InstagramChannel
    session: aiohttp.ClientSession
    clock: ManualClock
    site: str
    pictures: dict[str, bytes]

    @property
    def root(self) -> str:
        return f"{self.site}/instagram"

    def article(self, **changed: Any) -> Article:
        size = {"width": 640, "height": 480, "media_type": "image/jpeg", "size": 900}
        picture = Rendition(name="w800", url=f"{self.site}/media/a.jpg", **size)  # type: ignore[arg-type]
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
            "lead_image": LeadImage(media_id="m", alt="The town hall", renditions=(picture,)),
            "status": Status.PUBLISHED,
            "revision": 1,
            "publication": 1,
            "updated_at": datetime(2026, 11, 23, tzinfo=UTC),
        }
        return Article(**{**fields, **changed})

    def intent(self, operation: Operation = Operation.POST, **more: Any) -> Intent:
        given = {"key": "delivery-1", "article": self.article(), "now": self.clock.now()}
        return Intent(operation=operation, **{**given, **more})

    async def payload(self, intent: Intent | None = None) -> Payload:
        composed = await self.channel.compose(intent or self.intent())
        assert composed is not None
        return composed

    async def posted(self, **more: Any) -> Posted:
        return await self.channel.post(await self.payload(self.intent(**more)))

    async def correction(self, posted: Posted) -> Payload:
        notice = Correction(at=self.clock.now(), kind="correction", text=SAID)
        story = self.article(corrections=(notice,))
        return await self.payload(
            self.intent(Operation.EDIT, article=story, posted=posted, change="correction")
        )

    def connected(self, **changed: Any) -> InstagramChannel:
        account = InstagramSettings.model_validate({**self.fake.account(self.root), **changed})
        return InstagramChannel(account, self.session, self.fetch, clock=self.clock.now)

    async def fetch(self, url: str) -> bytes:
        async with self.session.get(url) as answer:
            return await answer.read()

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """A bare call with the account's token, past the channel."""
        headers = {"Authorization": f"Bearer {self.fake.token}"}
        url = f"{self.root}/v25.0/{path}"
        async with self.session.request(method, url, headers=headers, json=body) as answer:
            return answer.status, await answer.json()

    def comments(self) -> list[str]:
        return [post.text for post in self.fake.creations() if post.reply_to]

    def made(self) -> list[Any]:
        return [post for post in self.fake.creations() if not post.reply_to]


Staging = Callable[[InstagramFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs or works slowly costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))
    monkeypatch.setattr(containers, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(containers, "PROCESSING_SECONDS", 0.3)


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: InstagramFake) -> Stage:
            pictures = {"a.jpg": jpeg()}

            async def picture(request: web.Request) -> web.Response:
                data = pictures.get(request.match_info["name"])
                return web.Response(body=data) if data else web.Response(status=404)

            app = web.Application()
            app.router.add_get("/media/{name}", picture)
            app.add_subapp("/instagram", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            site = str(server.make_url("")).rstrip("/")
            stage = Stage(fake, None, session, clock, site, pictures)  # type: ignore[arg-type]
            stage.channel = stage.connected()
            return stage

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(InstagramFake(clock=clock.now))


async def test_publishes_the_picture_with_caption_and_alt_text(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text.endswith("roads get less.\n\nhttps://news.example/budget\n\n#LocalPolitics")
    assert seen.images[0]["alt"] == "The town hall"
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert await answer.read() == jpeg()
    async with stage.session.get(seen.url) as page:
        assert "roads get less" in await page.text()


async def test_a_picture_without_alt_text_is_published(stage: Stage) -> None:
    bare = stage.article().lead_image
    assert bare is not None
    await stage.posted(article=stage.article(lead_image=bare.model_copy(update={"alt": ""})))
    assert stage.fake.visible()[0].images[0]["alt"] == ""


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_post_is_mapped_and_looked_up(
    stage: Stage, fault: str, restarted: bool
) -> None:
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(OUTCOMES[fault]):
        await stage.channel.post(payload)
    happened = fault.endswith("_after")
    assert len(stage.made()) == int(happened)
    if restarted:
        stage.channel = stage.connected()
    found = await stage.channel.find(payload)
    assert (found is not None) is happened
    if found is None:
        found = await stage.channel.post(payload)
    assert found.remote_id == stage.made()[0].id
    assert len(stage.made()) == 1


@pytest.mark.parametrize("fault", ["error_after", "hang_after", "disconnect_after"])
async def test_a_second_try_that_comes_too_soon_shows_no_second_picture(
    stage: Stage, fault: str
) -> None:
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(OutcomeUnknown):
        await stage.channel.post(payload)
    stage.clock.advance(3600)
    again = await stage.channel.post(await stage.payload())  # composed anew, an hour later
    assert again.remote_id == stage.made()[0].id
    assert len(stage.made()) == 1


async def test_a_publication_that_overtakes_the_refusal_is_adopted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier request of ours was slow: it is served between our look and our next try."""
    payload = await stage.payload()
    stage.fake.faults["error_before"] = 1
    with pytest.raises(OutcomeUnknown):
        await stage.channel.post(payload)
    look = stage.channel._containers.settled

    async def overtaken(container: Any, key: str) -> str:
        state = await look(container, key)
        status, _ = await stage.call("POST", f"{USER}/media_publish", {"creation_id": container.id})
        assert status == 200
        return state

    monkeypatch.setattr(stage.channel._containers, "settled", overtaken)
    posted = await stage.channel.post(payload)
    assert posted.remote_id == stage.made()[0].id
    assert len(stage.made()) == 1


async def test_what_is_published_but_not_listed_yet_stays_unknown(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = await stage.payload()
    stage.fake.faults["error_after"] = 1
    with pytest.raises(OutcomeUnknown):
        await stage.channel.post(payload)
    with monkeypatch.context() as late:
        late.setattr(stage.fake._store, "newest_first", list)
        with pytest.raises(OutcomeUnknown, match="does not list it yet"):
            await stage.channel.find(payload)
    assert await stage.channel.find(payload) is not None


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_correction_is_mapped_and_it_is_said_once(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    payload = await stage.correction(posted)
    stage.fake.faults[f"edit:{fault}"] = 1
    with pytest.raises(OUTCOMES[fault]):
        await stage.channel.edit(payload, posted)
    happened = fault.endswith("_after")
    assert len(stage.comments()) == int(happened)
    assert (await stage.channel.find(payload) is not None) is happened
    edited = await stage.channel.edit(payload, posted)
    again = await stage.channel.edit(payload, edited)
    assert stage.comments() == [f"Correction: {SAID}\n\nhttps://news.example/budget"]
    assert again.extra["comments"] == edited.extra["comments"]
    assert len(again.extra["comments"]) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_deletion_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    await stage.channel.edit(await stage.correction(posted), posted)
    stage.fake.faults[f"delete:{fault}"] = 1
    with pytest.raises(OUTCOMES[fault]):
        await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    assert stage.fake.visible() == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_picture_that_is_not_taken_in_leaves_nothing_posted(
    stage: Stage, fault: str
) -> None:
    payload = await stage.payload()
    stage.fake.faults[f"media:{fault}"] = 1
    expected = {"auth_dead": AuthDead, "refuse": GiveUp}.get(fault, TryAgain)
    with pytest.raises(expected):
        await stage.channel.post(payload)
    assert stage.made() == []
    await stage.channel.post(payload)
    assert len(stage.made()) == 1


async def test_waits_for_a_container_and_comes_back_to_it(
    staging: Staging, clock: ManualClock
) -> None:
    quick = await staging(InstagramFake(clock=clock.now, processing=2))
    await quick.posted()
    assert len(quick.made()) == 1
    slow = await staging(InstagramFake(clock=clock.now, processing=100_000))
    with pytest.raises(TryAgain, match="still working") as caught:
        await slow.posted()
    assert (caught.value.after, caught.value.whole_account) == (5, False)
    [container] = slow.fake._store.containers.values()
    container.pending = 0
    await slow.posted()
    assert (len(slow.made()), len(slow.fake._store.containers)) == (1, 1)


async def test_an_expired_container_is_made_anew(stage: Stage) -> None:
    stage.fake.faults["rate_limited"] = 1
    with pytest.raises(TryAgain):
        await stage.posted()
    [container] = stage.fake._store.containers.values()
    container.made_at = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(TryAgain, match="EXPIRED"):
        await stage.posted()
    await stage.posted()
    assert len(stage.made()) == 1


async def test_a_container_of_other_content_is_not_published(stage: Stage) -> None:
    stage.fake.faults["rate_limited"] = 1
    with pytest.raises(TryAgain):
        await stage.posted()
    await stage.posted(article=stage.article(headline="Other"))
    assert [post.text.partition("\n")[0] for post in stage.made()] == ["Other"]


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (None, TryAgain, "could not be fetched"),
        (b"not a picture", GiveUp, "Only photo or video"),
        (jpeg(kind="PNG"), GiveUp, "format is not supported"),
        (jpeg(1000, 400), GiveUp, "aspect ratio"),
        (jpeg() + bytes(8 * 1024 * 1024), GiveUp, "too large"),
    ],
    ids=["missing", "text", "png", "flat", "heavy"],
)
async def test_a_picture_that_instagram_does_not_take(
    stage: Stage, data: bytes | None, error: type[DeliveryError], reason: str
) -> None:
    stage.pictures.clear()
    if data:
        stage.pictures["a.jpg"] = data
    with pytest.raises(error, match=reason):
        await stage.posted()
    assert stage.made() == []


async def test_a_minor_change_is_nothing_and_a_caption_stays(stage: Stage) -> None:
    posted = await stage.posted()
    changed = stage.article(headline="Other")
    minor = stage.intent(Operation.EDIT, article=changed, posted=posted, change="minor")
    assert await stage.channel.compose(minor) is None
    stage.channel = stage.connected(corrections="none")
    with pytest.raises(GiveUp, match="correct it by hand"):
        await stage.correction(posted)


async def test_an_account_that_does_not_delete_says_so(stage: Stage) -> None:
    posted = await stage.posted()
    with pytest.raises(GiveUp, match="by hand"):
        await stage.connected(delete=False).delete(posted)
    assert len(stage.fake.visible()) == 1


async def test_a_correction_of_a_picture_that_someone_deleted_is_given_up(stage: Stage) -> None:
    posted = await stage.posted()
    payload = await stage.correction(posted)
    await stage.channel.delete(posted)
    assert await stage.channel.find(payload) is None
    with pytest.raises(GiveUp, match="does not exist"):
        await stage.channel.edit(payload, posted)


async def test_find_knows_the_whole_post_and_no_earlier_one(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    assert await stage.channel.find(payload) == posted
    stage.clock.advance(3600)
    assert await stage.channel.find(await stage.payload()) is None


async def test_find_turns_pages_and_says_when_it_cannot_be_sure(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    store = stage.fake._store
    [container] = store.containers.values()

    def others(count: int) -> None:
        for _ in range(count):
            other = store.publish(container, stage.clock.now(), stage.root)
            other.container = type(container)(other.id, b"", "other", "", other.created_at, 0)

    others(60)
    assert await stage.channel.find(payload) == posted
    others(190)
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(payload)


async def test_a_used_up_quota_is_read_before_anything_is_taken_in(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(InstagramFake(clock=clock.now, quota=1))
    await stage.posted()
    with pytest.raises(TryAgain, match="1 publications") as caught:
        await stage.posted(key="delivery-2")
    assert (caught.value.after, caught.value.whole_account) == (3600, True)
    assert len(stage.fake._store.containers) == 1
    stage.clock.advance(24 * 3600)
    await stage.posted(key="delivery-2")
    assert len(stage.made()) == 2


async def test_budget_is_told_in_percent_and_a_used_up_hour_waits(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(InstagramFake(clock=clock.now, hourly=2))
    await stage.channel.check()
    assert stage.channel.budget is not None
    assert (stage.channel.budget.limit, stage.channel.budget.remaining) == (100, 50)
    await stage.channel.check()
    assert stage.channel.budget.remaining == 0
    with pytest.raises(TryAgain, match="error 4") as caught:
        await stage.posted()
    assert (caught.value.after, caught.value.whole_account) == (900, True)


async def test_wrong_token_is_auth_dead_and_appears_nowhere(stage: Stage) -> None:
    channel = stage.connected(access_token="wr0ng-t0ken")
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead) as caught:
            await act
        assert "wr0ng-t0ken" not in repr(caught.value) + caught.value.reason
    assert await stage.channel.check() == "herald"


async def test_a_server_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    channel = stage.connected(server=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(TryAgain):
        await channel.post(await stage.payload())


async def test_something_that_is_no_instagram_is_never_taken_for_success(stage: Stage) -> None:
    bodies = {
        "content_publishing_limit": '{"data":[]}',
        "media": '{"id":"7"}',
        "7": '{"status_code":"FINISHED"}',
        "comments": '{"data":[]}',
    }

    async def page(request: web.Request) -> web.Response:
        last = request.path.rpartition("/")[2]
        commenting = request.method == "POST" and last == "comments"
        return web.Response(text="<html>Welcome" if commenting else bodies.get(last, "<html>"))

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", page)
    posted = await stage.posted()
    correction = await stage.correction(posted)
    async with TestServer(app) as server:
        channel = stage.connected(server=str(server.make_url("")))
        for act in (
            channel.post(await stage.payload()),
            channel.edit(correction, posted),
            channel.delete(Posted(remote_id="8")),
        ):
            with pytest.raises(OutcomeUnknown):
                await act
        with pytest.raises(TryAgain):
            await channel.check()


async def test_a_post_whose_address_cannot_be_read_is_a_post_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> Any:
        raise KeyError

    monkeypatch.setattr(stage.fake._store, "live", refuse)
    posted = await stage.posted()
    assert (posted.remote_id, posted.url) == (stage.made()[0].id, None)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"title": "x"}, "Unexpected key title"),
        ({"image_url": None}, "image_url is required"),
        ({"image_url": "https://news.example/a.jpg"}, "could not be fetched"),
        ({"image_url": "http://[::"}, "could not be fetched"),
        ({"caption": 5}, "must be a string"),
        ({"caption": "x" * 2201}, "caption was too long"),
        ({"caption": "👍" * 1101}, "caption was too long"),
        ({"caption": "#a " * 31}, "too many hashtags"),
        ({"caption": "@a " * 21}, "too many hashtags or mentions"),
        ({"alt_text": "x" * 1001}, "alt_text is too long"),
    ],
)
async def test_the_stand_in_refuses_a_bad_container(
    stage: Stage, changed: dict[str, Any], words: str
) -> None:
    body = {"image_url": f"{stage.site}/media/a.jpg", "caption": "x", **changed}
    status, said = await stage.call("POST", f"{USER}/media", body)
    assert (status, words in said["error"]["message"]) == (400, True), said


async def test_the_stand_in_keeps_the_order_of_steps(staging: Staging, clock: ManualClock) -> None:
    stage = await staging(InstagramFake(clock=clock.now, processing=1))
    publish = f"{USER}/media_publish"
    status, said = await stage.call("POST", publish, {"creation_id": "5"})
    assert (status, said["error"]["error_subcode"]) == (400, 33)
    body = {"image_url": f"{stage.site}/media/a.jpg"}
    _, made = await stage.call("POST", f"{USER}/media", body)
    creation = {"creation_id": made["id"]}
    status, said = await stage.call("POST", publish, creation)
    assert (status, said["error"]["error_subcode"]) == (400, 2_207_027)
    states = [
        (await stage.call("GET", f"{made['id']}?fields=status_code"))[1]["status_code"]
        for _ in range(2)
    ]
    assert states == ["IN_PROGRESS", "FINISHED"]
    assert (await stage.call("POST", publish, creation))[0] == 200
    status, said = await stage.call("POST", publish, creation)
    assert (status, "published already" in said["error"]["message"]) == (400, True)
    assert len(stage.made()) == 1
    status, said = await stage.call("GET", f"{made['id']}?fields=colour")
    assert (status, "nonexisting field" in said["error"]["message"]) == (400, True)


@pytest.mark.parametrize(
    "message", ["", " ", 5, "x" * 301, "#a #b #c #d #e", "https://a.org https://b.org"]
)
async def test_the_stand_in_refuses_a_bad_comment(stage: Stage, message: Any) -> None:
    posted = await stage.posted()
    status, _ = await stage.call("POST", f"{posted.remote_id}/comments", {"message": message})
    assert status == 400
    assert stage.comments() == []
