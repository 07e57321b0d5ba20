"""The Threads channel against its strict stand-in over a real loopback socket: every outcome, no second post."""

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
from services.social.channels.meta import budget
from services.social.channels.threads import channel as threads_channel
from services.social.channels.threads import containers
from services.social.channels.threads.answers import failure
from services.social.channels.threads.channel import ThreadsChannel
from services.social.channels.threads.fake import ThreadsFake
from services.social.channels.threads.fake_store import USER_ID
from services.social.channels.threads.settings import ThreadsSettings
from services.social.channels.transport import Answer
from shared.contracts.articles import Article, Correction, LeadImage, Rendition, Status
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain
from shared.runtime.clock import ManualClock

USER = f"/v1.0/{USER_ID}"
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


@dataclass
class Stage:
    """A running stand-in below a path, as in the sandbox, our media beside it, and a channel connected to it."""

    fake: ThreadsFake
    channel: ThreadsChannel
    session: aiohttp.ClientSession
    clock: ManualClock
    root: str
    site: str
    images: dict[str, bytes]

    def article(self, **changed: Any) -> Article:
        rendition = Rendition(
            name="wide", url=f"{self.site}/media/a.jpg", width=64, height=48,
            media_type="image/jpeg", size=900,
        )  # fmt: skip
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

    def corrected(self, *texts: str) -> Article:
        notices = tuple(
            Correction(at=self.clock.now(), kind="correction", text=text) for text in texts
        )
        return self.article(corrections=notices)

    def intent(self, operation: Operation = Operation.POST, **more: Any) -> Intent:
        given = {"key": "delivery-1", "article": self.article(), "now": self.clock.now()}
        return Intent(operation=operation, **{**given, **more})

    async def payload(self, intent: Intent | None = None) -> Payload:
        composed = await self.channel.compose(intent or self.intent())
        assert composed is not None
        return composed

    async def posted(self) -> Posted:
        return await self.channel.post(await self.payload())

    async def correction(self, posted: Posted, *texts: str, told: int = 0) -> Payload:
        more = {"article": self.corrected(*texts), "posted": posted, "told": told}
        key = f"correction-{len(texts)}"
        return await self.payload(self.intent(Operation.EDIT, key=key, change="correction", **more))

    def connected(self, **changed: Any) -> ThreadsChannel:
        account = ThreadsSettings.model_validate({**self.fake.account(self.root), **changed})
        return ThreadsChannel(account, self.session, clock=self.clock.now)

    async def call(self, method: str, path: str, **values: str) -> tuple[int, Any]:
        """A bare call with the account's token, past the channel."""
        headers = {"Authorization": f"Bearer {self.fake.token}"}
        kind = "data" if method == "POST" else "params"
        url = f"{self.root}{path}"
        async with self.session.request(method, url, headers=headers, **{kind: values}) as answer:
            return answer.status, await answer.json()


Staging = Callable[[ThreadsFake], Awaitable[Stage]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that hangs costs a moment, not the half minute of production."""
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", aiohttp.ClientTimeout(total=1.0))
    monkeypatch.setattr(containers, "POLL_SECONDS", 0.01)


@pytest.fixture
async def staging(clock: ManualClock) -> AsyncIterator[Staging]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(fake: ThreadsFake) -> Stage:
            images = {"a.jpg": jpeg()}

            async def media(request: web.Request) -> web.Response:
                data = images.get(request.match_info["name"])
                return web.Response(body=data, status=200 if data is not None else 404)

            app = web.Application()
            app.router.add_get("/media/{name}", media)
            app.add_subapp("/threads", fake.app())
            server = TestServer(app, host="127.0.0.1")
            await server.start_server()
            servers.append(server)
            root, site = str(server.make_url("/threads")), str(server.make_url("")).rstrip("/")
            stage = Stage(fake, None, session, clock, root, site, images)  # type: ignore[arg-type]
            stage.channel = stage.connected()
            return stage

        yield start
        for server in servers:
            await server.close()


@pytest.fixture
async def stage(staging: Staging, clock: ManualClock) -> Stage:
    return await staging(ThreadsFake(clock=clock.now))


async def test_posts_text_link_image_alt_and_topic(stage: Stage) -> None:
    posted = await stage.posted()
    [seen] = stage.fake.visible()
    assert (posted.remote_id, posted.url) == (seen.id, seen.url)
    assert seen.text.startswith("Council passes the budget\n\nSchools get more")
    assert seen.link == "https://news.example.org/budget?utm_source=threads&utm_medium=social"
    assert seen.images[0]["alt"] == "The town hall"
    async with stage.session.get(stage.root + seen.images[0]["url"]) as answer:
        assert await answer.read() == jpeg()
    async with stage.session.get(seen.url) as page:
        assert "Council passes the budget" in await page.text()
    _, told = await stage.call("GET", f"/v1.0/{seen.id}", fields="topic_tag,media_type")
    assert told == {"id": seen.id, "topic_tag": "local politics", "media_type": "IMAGE"}
    assert await stage.channel.check() == "@herald"


async def test_without_image_readers_get_the_link_card(stage: Stage) -> None:
    channel = stage.connected(media="card")
    payload = await channel.compose(stage.intent())
    assert payload is not None
    posted = await channel.post(payload)
    [seen] = stage.fake.visible()
    assert seen.images == ()
    assert seen.card is not None
    assert seen.card["uri"] == payload["link"]
    assert payload["link"] not in seen.text
    found = await stage.connected().find(payload)
    assert found == posted


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("restarted", [False, True])
async def test_each_fault_of_a_post_is_mapped_and_found_out(
    stage: Stage, fault: str, restarted: bool
) -> None:
    payload = await stage.payload()
    stage.fake.faults[fault] = 1
    with pytest.raises(REFUSALS[fault]) as caught:
        await stage.channel.post(payload)
    assert caught.value.reason
    happened = fault.endswith("_after")
    assert len(stage.fake.creations()) == int(happened)
    channel = stage.connected() if restarted else stage.channel
    assert (await channel.find(payload) is not None) is happened
    if not happened:
        await channel.post(payload)
    assert len(stage.fake.creations()) == 1


async def test_the_same_container_is_never_published_twice(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["error_after"] = 1
    with pytest.raises(OutcomeUnknown):
        await stage.channel.post(payload)
    posted = await stage.channel.post(payload)
    assert [post.id for post in stage.fake.creations()] == [posted.remote_id]


async def test_a_changed_text_is_not_posted_beside_the_one_in_doubt(stage: Stage) -> None:
    stage.fake.faults["error_after"] = 1
    with pytest.raises(OutcomeUnknown):
        await stage.channel.post(await stage.payload())
    changed = await stage.payload(stage.intent(article=stage.article(headline="Other")))
    posted = await stage.channel.post(changed)
    assert [post.id for post in stage.fake.creations()] == [posted.remote_id]


async def test_a_container_not_known_everywhere_waits_and_is_published_itself(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["not_propagated"] = 1
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (30.0, False)
    made = len(stage.fake._store.containers)
    await stage.channel.post(payload)
    assert (len(stage.fake.creations()), len(stage.fake._store.containers)) == (1, made)


async def test_a_block_that_published_all_the_same_is_found_out(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["blocked_but_done"] = 1
    with pytest.raises(OutcomeUnknown, match="blocked"):
        await stage.channel.post(payload)
    assert await stage.channel.find(payload) is not None


async def test_a_published_post_that_is_not_listed_yet_stays_unknown(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["error_after"] = 1
    with pytest.raises(OutcomeUnknown):
        await stage.channel.post(payload)
    stage.fake.faults["lag"] = 1
    with pytest.raises(OutcomeUnknown, match="does not list it yet"):
        await stage.channel.find(payload)
    assert await stage.channel.find(payload) is not None


async def test_waits_for_a_container_in_work(staging: Staging, clock: ManualClock) -> None:
    stage = await staging(ThreadsFake(clock=clock.now, processing=3))
    await stage.posted()
    assert len(stage.fake.visible()) == 1


async def test_a_container_that_takes_too_long_is_published_later(
    staging: Staging, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads_channel, "PREPARATION_SECONDS", 0.3)
    stage = await staging(ThreadsFake(clock=clock.now, processing=10_000))
    payload = await stage.payload()
    with pytest.raises(TryAgain, match="still working"):
        await stage.channel.post(payload)
    with pytest.raises(OutcomeUnknown, match="still working"):
        await stage.channel.find(payload)
    [container] = stage.fake._store.containers.values()
    container.pending = 0
    await stage.channel.post(payload)
    assert len(stage.fake._store.containers) == len(stage.fake.creations()) == 1


async def test_an_expired_container_is_made_anew(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["auth_dead"] = 1
    with pytest.raises(AuthDead):
        await stage.channel.post(payload)
    stage.clock.advance(86_401)
    await stage.channel.post(await stage.payload())
    assert len(stage.fake.creations()) == 1
    assert len(stage.fake._store.containers) == 2


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
async def test_a_container_that_fails_leaves_nothing_posted(
    stage: Stage, fault: str, error: type[DeliveryError]
) -> None:
    payload = await stage.payload()
    stage.fake.faults[f"container:{fault}"] = 1
    with pytest.raises(error):
        await stage.channel.post(payload)
    assert stage.fake.creations() == []
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 1


async def test_an_image_that_cannot_be_fetched_is_tried_again_and_a_bad_one_given_up(
    stage: Stage,
) -> None:
    payload, data = await stage.payload(), stage.images.pop("a.jpg")
    with pytest.raises(TryAgain, match="FAILED_DOWNLOADING"):
        await stage.channel.post(payload)
    stage.images["a.jpg"] = jpeg(kind="BMP")
    with pytest.raises(GiveUp, match="ERROR: UNKNOWN"):
        await stage.channel.post(payload)
    stage.images["a.jpg"] = data
    await stage.channel.post(payload)
    assert len(stage.fake.creations()) == 1


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
    assert answer.text == "Correction: It is 4 million, not 40."
    assert answer.card is not None


async def test_the_second_correction_is_not_taken_for_the_first(stage: Stage) -> None:
    posted = await stage.posted()
    first = await stage.channel.edit(await stage.correction(posted, "One."), posted)
    payload = await stage.correction(first, "One.", "Two.", told=1)
    assert await stage.channel.find(payload) is None
    second = await stage.channel.edit(payload, first)
    assert len(second.extra["replies"]) == 2
    await stage.channel.delete(second)
    assert stage.fake.visible() == []


async def test_a_minor_change_is_nothing_to_do(stage: Stage) -> None:
    posted = await stage.posted()
    more = {"article": stage.article(headline="Other"), "posted": posted, "change": "minor"}
    assert await stage.channel.compose(stage.intent(Operation.EDIT, **more)) is None


async def test_a_correction_of_a_post_that_someone_deleted_is_refused(stage: Stage) -> None:
    posted = await stage.posted()
    await stage.channel.delete(posted)
    with pytest.raises(GiveUp, match="does not exist"):
        await stage.channel.edit(await stage.correction(posted, "x"), posted)


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


async def test_used_up_posts_wait_without_stopping_corrections_and_deletions(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(ThreadsFake(clock=clock.now, quota=1))
    posted = await stage.posted()
    other = await stage.payload(
        stage.intent(key="delivery-2", article=stage.article(publication=2))
    )
    with pytest.raises(TryAgain, match="1 posts of 24 hours") as caught:
        await stage.channel.post(other)
    assert (caught.value.after, caught.value.whole_account) == (900.0, False)
    corrected = await stage.channel.edit(await stage.correction(posted, "One."), posted)
    await stage.channel.delete(corrected)
    clock.advance(86_401)
    await stage.channel.post(other)
    assert len(stage.fake.visible()) == 1


async def test_find_turns_pages_and_says_when_it_cannot_be_sure(stage: Stage) -> None:
    payload = await stage.payload()
    posted = await stage.channel.post(payload)

    async def another(number: int) -> None:
        words = {"media_type": "TEXT", "text": f"x{number}"}
        _, made = await stage.call("POST", f"{USER}/threads", **words)
        status, _ = await stage.call("POST", f"{USER}/threads_publish", creation_id=made["id"])
        assert status == 200

    for number in range(999):
        await another(number)
    assert await stage.channel.find(payload) == posted
    await another(999)
    with pytest.raises(OutcomeUnknown):
        await stage.channel.find(payload)
    stage.clock.advance(3 * 3600)
    assert await stage.channel.find(await stage.payload()) is None


async def test_budget_is_the_share_of_calls_that_is_left(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(ThreadsFake(clock=clock.now, hourly=4))
    assert stage.channel.budget is None
    await stage.channel.check()
    assert stage.channel.budget is not None
    assert (stage.channel.budget.limit, stage.channel.budget.remaining) == (100, 75)
    for _ in range(3):
        await stage.channel.check()
    assert stage.channel.budget.remaining == 0
    with pytest.raises(TryAgain) as caught:
        await stage.channel.check()
    assert caught.value.whole_account


async def test_a_throttle_waits_as_long_as_the_network_estimates(stage: Stage) -> None:
    payload = await stage.payload()
    stage.fake.faults["rate_limited"] = 1
    with pytest.raises(TryAgain) as caught:
        await stage.channel.post(payload)
    assert (caught.value.after, caught.value.whole_account) == (60.0, True)


def answered(status: int, code: int, subcode: int = 0, **more: Any) -> Answer:
    error = {"message": "x", "code": code, "error_subcode": subcode, **more}
    return Answer(status, {}, {"error": error}, "")


@pytest.mark.parametrize(
    ("answer", "mutation", "own_post", "error"),
    [
        (answered(500, 1), True, False, OutcomeUnknown),
        (answered(500, 2), False, False, TryAgain),
        (answered(400, -1, is_transient=True), True, False, OutcomeUnknown),
        (answered(400, -1, 2_207_051), True, False, OutcomeUnknown),
        (answered(400, -1, 2_207_051), False, False, TryAgain),
        (answered(400, 24, 4_279_009), True, False, TryAgain),
        (answered(400, 4_279_013), True, False, AuthDead),
        (answered(400, 1, 4_279_013), True, False, AuthDead),
        (answered(400, 368), True, False, TryAgain),
        (answered(400, 80_002), True, False, TryAgain),
        (answered(403, 4), False, False, TryAgain),
        (Answer(429, {}, None, ""), True, False, TryAgain),
        (answered(401, 190, 463), True, False, AuthDead),
        (answered(400, 102), False, False, AuthDead),
        (Answer(401, {}, None, ""), True, False, AuthDead),
        (answered(403, 10), True, False, AuthDead),
        (answered(403, 10), True, True, GiveUp),
        (answered(403, 200), False, False, AuthDead),
        (answered(400, 100), True, False, GiveUp),
        (Answer(502, {}, None, "<html>"), True, False, OutcomeUnknown),
        (Answer(404, {}, ["odd"], ""), True, False, GiveUp),
    ],
)
def test_every_documented_answer_has_one_outcome(
    answer: Answer, mutation: bool, own_post: bool, error: type[DeliveryError]
) -> None:
    found = failure(answer, mutation=mutation, one_post=own_post)
    assert type(found) is error
    assert found.reason


@pytest.mark.parametrize(
    ("headers", "remaining"),
    [
        ({"x-app-usage": '{"call_count":12.5,"total_time":40}'}, 60),
        ({"x-business-use-case-usage": '{"7":[{"call_count":99},{"call_count":3}]}'}, 1),
        ({"x-app-usage": '{"call_count":180}'}, 0),
        ({"x-app-usage": "{}"}, None),
        ({"x-app-usage": "[1]", "x-business-use-case-usage": "[2]"}, None),
        ({"x-app-usage": "soon"}, None),
        ({}, None),
    ],
)
def test_budget_reads_both_headers(headers: dict[str, str], remaining: int | None) -> None:
    left = budget(Answer(200, headers, {}, ""), datetime(2026, 11, 23, tzinfo=UTC))
    assert (left.remaining if left else None) == remaining


async def test_wrong_token_is_auth_dead_and_appears_nowhere(stage: Stage) -> None:
    channel = stage.connected(access_token="wr0ng-t0ken")
    for act in (channel.check(), channel.post(await stage.payload())):
        with pytest.raises(AuthDead) as caught:
            await act
        assert "wr0ng-t0ken" not in repr(caught.value) + caught.value.reason


async def test_a_network_that_is_not_there_is_certain_failure(stage: Stage) -> None:
    channel = stage.connected(server=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(TryAgain) as caught:
        await channel.post(await stage.payload())
    assert stage.fake.token not in caught.value.reason


async def test_something_that_is_no_threads_is_never_taken_for_success(stage: Stage) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", page)
    async with TestServer(app) as server:
        channel = stage.connected(server=str(server.make_url("")))
        with pytest.raises(TryAgain):
            await channel.post(await stage.payload())
        with pytest.raises(OutcomeUnknown):
            await channel.delete(Posted(remote_id="1"))


TEXT = {"media_type": "TEXT", "text": "x"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "media_type"),
        ({"media_type": "POEM", "text": "x"}, "media_type"),
        ({"media_type": "TEXT"}, "needs text"),
        ({**TEXT, "image_url": "https://example.org/a.jpg"}, "no image_url"),
        ({"media_type": "IMAGE", "text": "x"}, "needs image_url"),
        ({"media_type": "IMAGE", "image_url": "a.jpg"}, "not a valid URL"),
        ({**TEXT, "text": "x" * 501}, "at most 500"),
        ({**TEXT, "text": "😀" * 126}, "at most 500"),
        ({**TEXT, "text": "x\x00"}, "at most 500"),
        ({**TEXT, "link_attachment": "example.org"}, "not a valid URL"),
        ({**TEXT, "text": " ".join(f"www.a.org/{n}" for n in range(6))}, "LINK_LIMIT_EXCEEDED"),
        ({**TEXT, "topic_tag": "a.b"}, "topic_tag"),
        ({**TEXT, "alt_text": "x" * 1001}, "alt_text"),
        ({**TEXT, "colour": "red"}, "colour"),
        ({**TEXT, "reply_to_id": "9"}, "does not exist"),
    ],
)
async def test_the_stand_in_refuses_a_bad_container(
    stage: Stage, fields: dict[str, str], words: str
) -> None:
    status, told = await stage.call("POST", f"{USER}/threads", **fields)
    assert status == 400
    assert words in told["error"]["message"]


async def test_the_stand_in_takes_exactly_500(stage: Stage) -> None:
    for text in ("x" * 500, "😀" * 125):
        assert (await stage.call("POST", f"{USER}/threads", **{**TEXT, "text": text}))[0] == 200


async def test_the_stand_in_publishes_in_order_and_once(
    staging: Staging, clock: ManualClock
) -> None:
    stage = await staging(ThreadsFake(clock=clock.now, processing=1))
    publish = f"{USER}/threads_publish"
    _, missing = await stage.call("POST", publish, creation_id="9")
    assert missing["error"]["error_subcode"] == 4_279_009
    _, made = await stage.call("POST", f"{USER}/threads", **TEXT)
    statuses = []
    for _ in range(2):
        statuses.append((await stage.call("POST", publish, creation_id=made["id"]))[0])
        await stage.call("GET", f"/v1.0/{made['id']}", fields="status")
    assert statuses == [400, 200]
    status, told = await stage.call("POST", publish, creation_id=made["id"])
    assert (status, "published already" in told["error"]["message"]) == (400, True)
    _, told = await stage.call("GET", f"/v1.0/{made['id']}", fields="status")
    assert told["status"] == "PUBLISHED"


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/threads", {"limit": "many"}),
        ("/threads", {"since": "1"}),
        ("/threads", {"fields": "mood", "limit": "5"}),
    ],
)
async def test_the_stand_in_refuses_a_bad_reading(
    stage: Stage, path: str, values: dict[str, str]
) -> None:
    await stage.posted()
    assert (await stage.call("GET", USER + path, **values))[0] == 400
