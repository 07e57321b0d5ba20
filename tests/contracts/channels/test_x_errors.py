"""The X channel against its strict stand-in over a real loopback socket: every outcome, no second post."""

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
from services.social.channels.transport import Answer
from services.social.channels.x.channel import XChannel
from services.social.channels.x.client import budget, failure
from services.social.channels.x.fake import XFake
from services.social.channels.x.fake_rules import CALLS
from services.social.channels.x.settings import XSettings
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain
from shared.runtime.clock import ManualClock

PICTURE = "https://news.example.org/media/a.jpg"
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


def article(**changed: Any) -> Article:
    rendition = Rendition(
        name="wide", url=PICTURE, width=64, height=48, media_type="image/jpeg", size=900
    )
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "budget",
        "url": "https://news.example.org/budget",
        "headline": "Council passes the budget",
        "standfirst": "Schools get more, roads get less.",
        "body": "…",
        "body_html": "…",
        "section": "politics",
        "tags": ("local politics",),
        "language": "en-GB",
        "lead_image": LeadImage(media_id="m", alt="The town hall", renditions=(rendition,)),
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return Article(**{**fields, **changed})


def corrected(*texts: str, **changed: Any) -> Article:
    at = datetime(2026, 11, 23, 9, 40, tzinfo=UTC)
    notices = tuple(Correction(at=at, kind="correction", text=text) for text in texts)
    return article(corrections=notices, **changed)


@dataclass
class Stage:
    """A running stand-in below a path, as in the sandbox, with a channel connected to it."""

    fake: XFake
    channel: XChannel
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

    async def correction(self, posted: Posted, *texts: str, told: int = 0) -> Payload:
        more = {"article": corrected(*texts), "posted": posted, "told": told}
        return await self.payload(self.intent(Operation.EDIT, change="correction", **more))

    def connected(self, **changed: Any) -> XChannel:
        account = XSettings.model_validate({**self.fake.account(self.root), **changed})
        return XChannel(account, self.session, self.fetch, clock=self.clock.now)

    async def fetch(self, url: str) -> bytes:
        return self.images[url]

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """A bare call with the account's token, past the channel."""
        headers = {"Authorization": f"Bearer {self.fake.token}"}
        url = f"{self.root}{path}"
        async with self.session.request(method, url, headers=headers, **more) as answer:
            return answer.status, await answer.json(content_type=None)


Staging = Callable[[XFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: XFake) -> Stage:
            app = web.Application(client_max_size=32 * 1024 * 1024)
            app.add_subapp("/x", fake.app())
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            root = str(server.make_url("/x"))
            stage = Stage(fake, None, session, clock, root, {PICTURE: jpeg()})  # type: ignore[arg-type]
            stage.channel = stage.connected()
            return stage

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(XFake(clock=clock.now))


@pytest.fixture
async def editing(staging: Staging, clock: ManualClock) -> Stage:
    """An account that may edit for half an hour, and says so."""
    stage = await staging(XFake(clock=clock.now, edit_minutes=30))
    stage.channel = stage.connected(edit_minutes=30)
    return stage


async def test_posts_text_link_image_and_alt(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text.startswith("Council passes the budget\n\nSchools get more")
    assert seen.link == "https://news.example.org/budget?utm_source=x&utm_medium=social"
    assert seen.images[0]["alt"] == "The town hall"
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert await answer.read() == jpeg()
    async with stage.session.get(seen.url) as page:
        assert "Council passes the budget" in await page.text()
    assert await stage.channel.check() == "@herald"


async def test_without_image_readers_get_the_link_card(stage: Stage) -> None:
    channel = stage.connected(media="card")
    payload = await channel.compose(stage.intent())
    assert payload is not None
    await channel.post(payload)
    [seen] = stage.fake.visible()
    assert seen.images == ()
    assert seen.card is not None
    assert seen.card["uri"] == payload["link"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_post_is_mapped_and_found_out(stage: Stage, fault: str) -> None:
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(REFUSALS[fault]) as caught:
        await stage.channel.post(payload)
    assert caught.value.reason
    happened = fault.endswith("_after")
    assert len(stage.fake.creations()) == int(happened)
    found = await stage.channel.find(payload)
    assert (found is not None) is happened


async def test_a_repeated_post_is_refused_and_the_first_one_taken_for_it(stage: Stage) -> None:
    payload = await stage.payload()
    first = await stage.channel.post(payload)
    assert await stage.connected().post(payload) == first
    assert len(stage.fake.creations()) == 1


async def test_a_duplicate_that_the_timeline_does_not_show_yet_is_unknown(stage: Stage) -> None:
    payload = await stage.payload()
    first = await stage.channel.post(payload)
    stage.fake.faults["lag"] = 1
    with pytest.raises(OutcomeUnknown, match="duplicate content"):
        await stage.channel.post(payload)
    assert await stage.channel.find(payload) == first


async def test_used_up_credits_stop_the_account(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["usage_capped"] = 1
    with pytest.raises(AuthDead, match="Usage cap exceeded"):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []


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


async def test_an_image_that_changed_since_it_was_composed_is_refused(stage: Stage) -> None:
    payload = await stage.payload()
    stage.images[PICTURE] = jpeg(32, 32)
    with pytest.raises(GiveUp, match="no longer the one"):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_correction_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    payload = await stage.correction(posted, "It is 4 million, not 40.")
    stage.fake.faults[fault] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.edit(payload, posted)
    happened = fault.endswith("_after")
    assert (await stage.channel.find(payload) is not None) is happened
    for _ in range(2):
        after = await stage.channel.edit(payload, posted)
    [answer] = [post for post in stage.fake.creations() if post.reply_to]
    assert after.extra["replies"] == [answer.id]
    assert answer.reply_to == posted.remote_id
    assert answer.text.startswith("Correction: It is 4 million, not 40.")


async def test_the_second_correction_is_not_taken_for_the_first(stage: Stage) -> None:
    posted = await stage.posted()
    first = await stage.channel.edit(await stage.correction(posted, "One."), posted)
    payload = await stage.correction(first, "One.", "Two.", told=1)
    assert await stage.channel.find(payload) is None
    second = await stage.channel.edit(payload, first)
    assert len(second.extra["replies"]) == 2
    await stage.channel.delete(second)
    assert stage.fake.visible() == []


async def test_a_minor_change_is_nothing_to_do_where_posts_are_not_edited(stage: Stage) -> None:
    posted = await stage.posted()
    more = {"article": article(headline="Other"), "posted": posted, "change": "minor"}
    assert await stage.channel.compose(stage.intent(Operation.EDIT, **more)) is None


@pytest.mark.parametrize("fault", [*FAULTS, None])
async def test_an_edit_is_made_once_in_its_window(editing: Stage, fault: str | None) -> None:
    posted = await editing.posted()
    editing.clock.advance(60)
    payload = await editing.correction(posted, "It is 4 million, not 40.")
    assert await editing.channel.find(payload) is None
    if fault:
        editing.fake.faults[fault] = 1
        with pytest.raises(REFUSALS[fault]):
            await editing.channel.edit(payload, posted)
    for _ in range(2):
        after = await editing.channel.edit(payload, posted)
    [seen] = editing.fake.creations()
    assert seen.text.startswith("Correction: It is 4 million, not 40.\n\nCouncil passes")
    assert seen.edited_at == editing.clock.now()
    assert seen.images[0]["alt"] == "The town hall"
    assert (after.remote_id, after.extra["edits"]) == (seen.id, 1)
    assert after.remote_id != posted.remote_id
    await editing.channel.delete(after)
    assert editing.fake.visible() == []


async def test_after_its_window_a_correction_is_a_reply_below_the_newest_version(
    editing: Stage,
) -> None:
    posted = await editing.posted()
    edit = editing.intent(
        Operation.EDIT, article=article(headline="Other"), posted=posted, change="minor"
    )
    edited = await editing.channel.edit(await editing.payload(edit), posted)
    editing.clock.advance(28 * 60)
    after = await editing.channel.edit(await editing.correction(edited, "Not so."), edited)
    [answer] = [post for post in editing.fake.visible() if post.reply_to]
    assert (answer.reply_to, after.remote_id) == (edited.remote_id, edited.remote_id)


async def test_an_edit_that_the_account_may_not_make_is_given_up(stage: Stage) -> None:
    channel = stage.connected(edit_minutes=30)
    posted = await stage.posted()
    edit = stage.intent(
        Operation.EDIT, article=corrected("No."), posted=posted, change="correction"
    )
    payload = await channel.compose(edit)
    assert payload is not None
    with pytest.raises(GiveUp, match="not permitted to edit"):
        await channel.edit(payload, posted)


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_deletion_is_mapped_and_repeating_is_safe(
    stage: Stage, fault: str
) -> None:
    posted = await stage.posted()
    stage.fake.faults[f"delete:{fault}"] = 1
    with pytest.raises(REFUSALS[fault]):
        await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    await stage.channel.delete(posted)
    assert stage.fake.visible() == []
    assert [post.deleted for post in stage.fake.creations()] == [True]


async def test_a_correction_of_a_post_that_someone_deleted_is_refused(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    with pytest.raises(GiveUp, match="deleted or not visible"):
        await stage.channel.edit(await stage.correction(posted, "x"), posted)


async def test_find_turns_pages_and_says_when_it_cannot_be_sure(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(XFake(clock=clock.now))
    payload = await stage.payload()
    posted = await stage.channel.post(payload)
    for number in range(999):
        status, _ = await stage.call("POST", "/2/tweets", json={"text": f"x{number}"})
        assert status == 201
        if number == 150:
            assert await stage.channel.find(payload) == posted
    assert await stage.channel.find(payload) == posted
    await stage.call("POST", "/2/tweets", json={"text": "one more"})
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(payload)
    clock.advance(3 * 3600)
    assert await stage.channel.find(await stage.payload()) is None


async def test_budget_follows_the_tightest_window_of_posts_alone(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(XFake(clock=clock.now, capacity={**CALLS, "day": 2}))
    await stage.channel.check()
    assert stage.channel.budget is None
    await stage.posted()
    assert stage.channel.budget is not None
    assert (stage.channel.budget.limit, stage.channel.budget.remaining) == (2, 1)
    assert stage.channel.budget.resets_at == datetime(2026, 11, 24, tzinfo=UTC)


async def test_a_used_up_limit_waits_until_the_reset_of_its_window(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(XFake(clock=clock.now, capacity={**CALLS, "post": 1}))
    await stage.posted()
    clock.advance(60)
    payload = await stage.payload(stage.intent(article=article(headline="Other")))
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    # 09:31 lies in the quarter of an hour that ends at 09:45 UTC.
    assert (caught.value.after, caught.value.whole_account) == (14 * 60, True)
    clock.advance(caught.value.after)
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 2


def answered(status: int, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    return Answer(status, headers or {}, body, "")


PROBLEM = "https://api.twitter.com/2/problems/"


@pytest.mark.parametrize(
    ("answer", "mutation", "error"),
    [
        (answered(401, title="Unauthorized", detail="Unauthorized"), True, AuthDead),
        (answered(402, title="CreditsDepleted", type=f"{PROBLEM}credits"), True, AuthDead),
        (answered(403, title="UsageCapExceeded", type=f"{PROBLEM}usage-capped"), True, AuthDead),
        (answered(429, title="UsageCapExceeded", type=f"{PROBLEM}usage-capped"), False, AuthDead),
        (answered(403, type=f"{PROBLEM}client-forbidden"), True, AuthDead),
        (answered(403, type=f"{PROBLEM}oauth1-permissions"), True, AuthDead),
        (answered(403, detail="Your account is suspended"), True, AuthDead),
        (answered(403, detail="You are not permitted to perform this action."), True, GiveUp),
        (answered(400, type=f"{PROBLEM}invalid-request", errors=[{"message": "x"}]), True, GiveUp),
        (answered(404, title="Not Found Error"), True, GiveUp),
        (answered(429, title="Too Many Requests"), True, TryAgain),
        (answered(500), True, OutcomeUnknown),
        (answered(503), True, OutcomeUnknown),
        (answered(503), False, TryAgain),
        (Answer(502, {}, None, "<html>"), True, OutcomeUnknown),
        (Answer(403, {}, ["odd"], "odd"), True, GiveUp),
    ],
)
def test_every_documented_answer_has_one_outcome(
    answer: Answer, mutation: bool, error: type[DeliveryError]
) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    found = failure(answer, now, mutation=mutation)
    assert type(found) is error
    assert found.reason.startswith("HTTP ")


def test_of_two_used_up_windows_the_one_that_ends_last_counts() -> None:
    headers = {
        "x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "900",
        "x-user-limit-24hour-limit": "50", "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": "86400",
    }  # fmt: skip
    left = budget(Answer(429, headers, None, ""))
    assert left is not None
    assert left.resets_at == datetime(1970, 1, 2, tzinfo=UTC)
    waiting = failure(
        Answer(429, headers, None, ""), datetime(1970, 1, 1, tzinfo=UTC), mutation=True
    )
    assert isinstance(waiting, TryAgain)
    assert waiting.after == 86_400
    assert budget(Answer(429, {"x-rate-limit-limit": "1"}, None, "")) is None
    odd = {**headers, "x-rate-limit-reset": "9" * 30, "x-user-limit-24hour-reset": "soon"}
    assert budget(Answer(429, odd, None, "")) is None


async def test_wrong_token_is_auth_dead_and_appears_nowhere(stage: Stage) -> None:
    channel = stage.connected(access_token="wr0ng-t0ken")
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead) as caught:
            await act
        assert "wr0ng-t0ken" not in repr(caught.value) + caught.value.reason


async def test_a_network_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    payload = {**await stage.payload(), "image": None}
    channel = stage.connected(server=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(TryAgain):
        await channel.post(payload)


async def test_something_that_is_no_x_is_never_taken_for_success(stage: Stage) -> None:
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


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "required"),
        ({"text": " \n"}, 400, "required"),
        ({"text": "x" * 281}, 400, "too long"),
        ({"text": "日" * 141}, 400, "too long"),
        ({"text": "x\ufeffy"}, 400, "not allowed"),
        ({"text": 5}, 400, "[text]"),
        ({"text": "x", "colour": "red"}, 400, "[colour]"),
        ({"text": "x", "media": {"media_ids": []}}, 400, "[media.media_ids]"),
        ({"text": "x", "media": {"media_ids": ["9"]}}, 400, "media IDs are invalid"),
        ({"text": "x", "reply": {"in_reply_to_tweet_id": "9"}}, 403, "reply to a Tweet"),
        ({"text": "x", "edit_options": {"previous_post_id": "9"}}, 404, "Could not find"),
    ],
)
async def test_the_stand_in_refuses_a_bad_post(
    stage: Stage, body: dict[str, Any], status: int, words: str
) -> None:
    answered_with, said = await stage.call("POST", "/2/tweets", json=body)
    assert answered_with == status
    assert words in str(said)
    assert stage.fake.creations() == []


async def test_the_stand_in_takes_exactly_280_and_refuses_a_repeat(stage: Stage) -> None:
    text = "👨‍👩‍👧‍👦" * 128 + " https://example.org/" + "a" * 200
    for expected in (201, 403):
        assert (await stage.call("POST", "/2/tweets", json={"text": text}))[0] == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not an image", "unrecognized"),
        (jpeg(kind="BMP"), "not supported"),
        (jpeg()[:300], "unrecognized"),
        (jpeg() + bytes(5 * 1024 * 1024), "exceeds"),
    ],
    ids=["text", "bmp", "truncated", "heavy"],
)
async def test_the_stand_in_refuses_a_bad_image(stage: Stage, data: bytes, words: str) -> None:
    form = aiohttp.FormData()
    form.add_field("media_category", "tweet_image")
    form.add_field("media", io.BytesIO(data), filename="a.jpg", content_type="image/jpeg")
    status, said = await stage.call("POST", "/2/media/upload", data=form)
    assert (status, words in str(said)) == (400, True)


async def test_the_stand_in_refuses_long_alt_text_and_an_old_upload(stage: Stage) -> None:
    form = aiohttp.FormData()
    form.add_field("media_category", "tweet_image")
    form.add_field("media", io.BytesIO(jpeg()), filename="a.jpg", content_type="image/jpeg")
    _, told = await stage.call("POST", "/2/media/upload", data=form)
    media_id = told["data"]["id"]
    alt = {"id": media_id, "metadata": {"alt_text": {"text": "x" * 1001}}}
    status, said = await stage.call("POST", "/2/media/metadata", json=alt)
    assert (status, "alt_text" in str(said)) == (400, True)
    stage.clock.advance(86_401)
    body = {"text": "x", "media": {"media_ids": [media_id]}}
    assert (await stage.call("POST", "/2/tweets", json=body))[0] == 400


@pytest.mark.parametrize(
    "path",
    ["/2/users/1/tweets", "/2/users/2244994945/tweets?max_results=4",
     "/2/users/2244994945/tweets?start_time=now", "/2/users/2244994945/tweets?tweet.fields=mood"],
)  # fmt: skip
async def test_the_stand_in_refuses_a_bad_reading(stage: Stage, path: str) -> None:
    assert (await stage.call("GET", path))[0] in {400, 404}
