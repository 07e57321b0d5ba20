"""The LinkedIn channel against its strict stand-in over a real loopback socket: outcomes, not calls."""

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
from yarl import URL

from services.social.channels import transport
from services.social.channels.base import FAULTS, Intent, Payload, Posted
from services.social.channels.linkedin.channel import LinkedInChannel
from services.social.channels.linkedin.fake import LinkedInFake
from services.social.channels.linkedin.settings import LinkedInSettings
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
LINK = "https://news.example/budget?utm_source=linkedin&utm_medium=social"


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

    fake: LinkedInFake
    channel: LinkedInChannel
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

    def connected(self, **changed: Any) -> LinkedInChannel:
        account = LinkedInSettings.model_validate({**self.fake.account(self.root), **changed})
        return LinkedInChannel(account, self.session, self.fetch, clock=self.clock.now)

    async def fetch(self, url: str) -> bytes:
        return self.images[url]

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """A bare call with the account's token, past the channel; `_` in a header's name is `-`."""
        sent = {
            "Authorization": f"Bearer {self.fake.token}",
            "LinkedIn-Version": "202609",
            "X-Restli-Protocol-Version": "2.0.0",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        url = URL(f"{self.root}/rest/{path}", encoded=True)
        async with self.session.request(method, url, headers=sent, json=body) as answer:
            return answer.status, await answer.json() if answer.status != 201 else {}


Staging = Callable[[LinkedInFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: LinkedInFake) -> Stage:
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.add_subapp("/linkedin", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            root = str(server.make_url("/linkedin"))
            stage = Stage(fake, None, session, clock, root, {PICTURE: jpeg()})  # type: ignore[arg-type]
            stage.channel = stage.connected()
            return stage

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(LinkedInFake(clock=clock.now))


async def test_posts_text_hashtags_and_a_card_with_its_picture(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text == (
        "Council passes the budget\n\nSchools get more (roads get less).\n\n#LocalPolitics"
    )
    assert seen.card is not None
    assert (seen.card["uri"], seen.card["title"]) == (LINK, "Council passes the budget")
    async with stage.session.get(stage.root + seen.card["image"]) as answer:
        assert await answer.read() == jpeg()
    async with stage.session.get(seen.url) as page:
        assert "roads get less" in await page.text()


async def test_without_picture_the_card_has_none(stage: Stage) -> None:
    await stage.posted(article=article(lead_image=None))
    [seen] = stage.fake.visible()
    assert seen.card is not None
    assert seen.card["image"] == ""


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
    # Sent again by mistake it is refused as a duplicate, and known by that.
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
    await stage.channel.delete(posted.model_copy(update={"remote_id": "urn:li:share:1"}))
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


async def test_waits_for_a_picture_that_is_being_processed(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(LinkedInFake(clock=clock.now, processing=2))
    await stage.posted()
    assert (stage.fake.visible()[0].card or {})["image"]


async def test_a_picture_that_changed_or_cannot_be_processed_is_given_up(stage: Stage) -> None:
    payload = await stage.payload()
    stage.images[PICTURE] = b"not a picture"
    with pytest.raises(GiveUp, match="no longer the one"):
        await stage.channel.post(payload)
    with pytest.raises(GiveUp, match="could not process"):
        await stage.posted()
    assert stage.fake.creations() == []


async def test_a_correction_is_public_and_keeps_the_card(stage: Stage) -> None:
    posted = await stage.posted()
    before = stage.fake.visible()[0]
    notice = Correction(at=stage.clock.now(), kind="correction", text="It is [4] million, not 40.")
    stage.clock.advance(60)
    story = article(headline="Other", corrections=(notice,))
    edit = stage.intent(Operation.EDIT, article=story, posted=posted, change="correction")
    edited = await stage.channel.edit(await stage.payload(edit), posted)
    [after] = stage.fake.visible()
    assert after.text.startswith("Correction: It is [4] million, not 40.\n\nOther")
    assert (after.edited_at, after.card) == (stage.clock.now(), before.card)
    assert (edited.remote_id, edited.url) == (posted.remote_id, posted.url)
    minor = stage.intent(Operation.EDIT, article=story, posted=edited, change="minor")
    assert await stage.channel.compose(minor) is None


async def test_a_correction_of_a_post_known_only_by_hand(stage: Stage) -> None:
    posted = await stage.posted()
    bare = Posted(remote_id=posted.remote_id)
    edit = stage.intent(Operation.EDIT, article=article(), posted=bare, change="correction")
    await stage.channel.edit(await stage.payload(edit), bare)
    assert stage.fake.visible()[0].text.startswith("Correction\n\nCouncil")


async def test_edit_of_a_post_that_someone_deleted_is_given_up(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    edit = stage.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    with pytest.raises(GiveUp, match="NOT_FOUND"):
        await stage.channel.edit(await stage.payload(edit), posted)


async def test_a_duplicate_of_a_deleted_post_is_given_up_and_says_why(stage: Stage) -> None:
    payload = await stage.payload()
    await stage.channel.delete(await stage.channel.post(payload))
    with pytest.raises(GiveUp, match=r"DUPLICATE_POST.*that post is gone"):
        await stage.channel.post(payload)
    assert await stage.channel.find(payload) is None
    stage.clock.advance(24 * 3600)  # the ghost is laid
    await stage.channel.post(payload)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"status": 403, "code": "ACCESS_DENIED", "message": "No."}, "cannot be read"),
        ({"id": "urn:li:share:5", "content": {"article": {"source": "x"}}}, "something else"),
        ({"id": "urn:li:share:5"}, "something else"),
    ],
)
async def test_a_duplicate_that_is_not_ours_is_given_up(
    stage: Stage, told: dict[str, Any], reason: str
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        words = "Content is a duplicate of urn:li:share:5"
        return web.json_response({"code": "DUPLICATE_POST", "message": words}, status=422)

    async def show(request: web.Request) -> web.Response:
        assert request.raw_path.endswith("urn%3Ali%3Ashare%3A5")
        return web.json_response(told, status=told.get("status", 200))

    app = web.Application()
    app.add_routes([web.post("/rest/posts", refuse), web.get("/rest/posts/{urn}", show)])
    async with TestServer(app) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(GiveUp, match=reason):
            await channel.post({**await stage.payload(), "thumbnail": None})


async def test_find_ignores_what_was_posted_before_the_payload_was_composed(stage: Stage) -> None:
    await stage.posted()
    stage.clock.advance(3600)
    assert await stage.channel.find(await stage.payload()) is None


async def test_find_turns_pages_and_says_when_it_cannot_be_sure(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)

    async def others(first: int, count: int) -> None:
        for number in range(first, first + count):
            url = f"https://news.example/{number}"
            await stage.posted(article=article(url=url, lead_image=None))

    await others(0, 60)
    found = await stage.channel.find(payload)
    assert found is not None
    assert found == posted
    await others(60, 190)
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(payload)


async def test_a_used_up_day_is_asked_again_and_heals_at_midnight(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(LinkedInFake(clock=clock.now, daily=1))
    await stage.posted()
    payload = await stage.payload(stage.intent(article=article(url="https://news.example/2")))
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (900, True)
    stage.clock.advance(14.25 * 3600)  # 23:45
    stage.clock.advance(600)
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert caught.value.after == 300
    stage.clock.advance(300)
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 2


async def test_wrong_token_and_ended_version_are_auth_dead(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(LinkedInFake(clock=clock.now, ended_versions=frozenset({"202501"})))
    payload = {**await stage.payload(), "thumbnail": None}
    for changed in ({"access_token": "wr0ng-t0ken"}, {"version": "202501"}):
        channel = stage.connected(**changed)
        for act in (channel.check(), channel.post(payload)):
            with pytest.raises(AuthDead) as caught:
                await act
            assert "wr0ng-t0ken" not in repr(caught.value) + caught.value.reason
    with pytest.raises(AuthDead, match="ACCESS_DENIED"):
        await stage.connected(organization="7").check()
    assert await stage.channel.check() == "urn:li:organization:5515715"


async def test_a_server_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    channel = stage.connected(server=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(TryAgain):
        await channel.post({**await stage.payload(), "thumbnail": None})


async def test_something_that_is_no_linkedin_is_never_taken_for_success(stage: Stage) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", page)
    async with TestServer(app) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(OutcomeUnknown):
            await channel.post({**await stage.payload(), "thumbnail": None})
        with pytest.raises(TryAgain):
            await channel.post(await stage.payload())
        with pytest.raises(TryAgain):
            await channel.check()


def new_post(**changed: Any) -> dict[str, Any]:
    return {
        "author": "urn:li:organization:5515715",
        "commentary": "x",
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "content": {"article": {"source": "https://news.example/a", "title": "A"}},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
        **changed,
    }


def card(**changed: Any) -> dict[str, Any]:
    return {"article": {"source": "https://news.example/a", "title": "A", **changed}}


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"extra": 1}, 422, "/extra :: unrecognized"),
        ({"commentary": "x" * 3001}, 422, "/commentary"),
        ({"commentary": "👍" * 1501}, 422, "/commentary"),
        ({"commentary": None}, 422, "/commentary"),
        ({"author": "urn:li:organization:1"}, 403, "Organization permissions"),
        ({"lifecycleState": "DRAFT"}, 422, "/visibility"),
        ({"distribution": {}}, 422, "/distribution"),
        ({"content": {}}, 422, "/content"),
        ({"content": card(alt="x")}, 422, "/content/article/alt"),
        ({"content": card(title="")}, 422, "/content/article"),
        ({"content": card(title="x" * 401)}, 422, "/content/article/title"),
        ({"content": card(source="news")}, 422, "/content/article"),
        ({"content": card(thumbnail="urn:li:image:1")}, 422, "does not exist"),
    ],
)
async def test_the_stand_in_refuses_a_bad_post(
    stage: Stage, changed: dict[str, Any], status: int, words: str
) -> None:
    answered, said = await stage.call("POST", "posts", new_post(**changed))
    assert (answered, words in said["message"]) == (status, True), said
    assert stage.fake.creations() == []


async def test_the_stand_in_cuts_the_text_at_a_bare_reserved_character(stage: Stage) -> None:
    written = "a\\(b\\) {hashtag|\\#|Tag} @[Acme](urn:li:organization:1) and (lost)"
    assert (await stage.call("POST", "posts", new_post(commentary=written)))[0] == 201
    assert stage.fake.visible()[0].text == "a(b) #Tag Acme and "


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"LinkedIn_Version": ""}, 400),
        ({"X_Restli_Protocol_Version": "1.0.0"}, 400),
        ({"Authorization": "Bearer x"}, 401),
    ],
)
async def test_the_stand_in_refuses_missing_headers(
    stage: Stage, headers: dict[str, str], status: int
) -> None:
    assert (await stage.call("POST", "posts", new_post(), **headers))[0] == status


async def test_the_stand_in_keeps_the_order_of_steps(stage: Stage) -> None:
    owner = {"initializeUploadRequest": {"owner": "urn:li:organization:5515715"}}
    status, told = await stage.call("POST", "images?action=initializeUpload", owner)
    assert status == 200
    urn = told["value"]["image"]
    status, said = await stage.call("POST", "posts", new_post(content=card(thumbnail=urn)))
    assert (status, said["code"]) == (400, "MEDIA_ASSET_PROCESSING")
    assert (await stage.call("GET", f"images/{urn}"))[0] == 400  # bare colons in the path
    for path in ("posts/urn%3Ali%3Ashare%3A1", "images/urn%3Ali%3Aimage%3A1"):
        assert (await stage.call("GET", path))[0] == 404
    posted = await stage.posted()
    path = f"posts/{posted.remote_id.replace(':', '%3A')}"
    patch = {"patch": {"$set": {"commentary": "y", "visibility": "PUBLIC"}}}
    assert (await stage.call("POST", path, patch))[0] == 400
    act = {"X_RestLi_Method": "PARTIAL_UPDATE"}
    assert (await stage.call("POST", path, patch, **act))[0] == 422
