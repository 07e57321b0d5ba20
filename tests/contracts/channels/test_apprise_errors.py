"""The Apprise channel against its strict stand-ins over a real loopback socket: outcomes, not calls."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestServer, unused_port
from pydantic import SecretStr

from services.social.channels import transport
from services.social.channels.apprise import plugin as plugins
from services.social.channels.apprise.channel import AppriseChannel
from services.social.channels.apprise.compose import MessagePayload, Room
from services.social.channels.apprise.fake import PASSWORD, TOKEN, AppriseFake
from services.social.channels.apprise.line import Line
from services.social.channels.apprise.plugin import REQUESTS, Plugin
from services.social.channels.apprise.settings import AppriseSettings
from services.social.channels.base import FAULTS, Intent, Payload, Posted
from shared.contracts.articles import Article, Correction, Status
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain
from shared.web.outbound import OutboundPolicy, guarded_session

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
OUTCOMES: dict[str, type[DeliveryError]] = {
    "error_before": OutcomeUnknown,
    "error_after": OutcomeUnknown,
    "hang_after": OutcomeUnknown,
    "disconnect_after": OutcomeUnknown,
    "rate_limited": TryAgain,
    "auth_dead": AuthDead,
    "refuse": GiveUp,
    "gone": AuthDead,
    "moved": GiveUp,
}
TAKEN = {"error_after", "hang_after", "disconnect_after", "not_taken"}
POSTED = Posted(remote_id="ours")


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
        "language": "en-GB",
        "status": Status.PUBLISHED,
        "revision": 1,
        "publication": 1,
        "updated_at": NOW,
    }
    return Article(**{**fields, **changed})


def channel(url: str, http: aiohttp.ClientSession) -> AppriseChannel:
    return AppriseChannel(AppriseSettings(url=SecretStr(url)), http, number=lambda: "ours")


async def composed(of: AppriseChannel, **changed: Any) -> Payload:
    payload = await of.compose(Intent("k", Operation.POST, article(**changed), NOW))
    assert payload is not None
    return payload


async def failing(act: Callable[[], Awaitable[Any]]) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await act()
    return caught.value


@dataclass
class Stage:
    """The stand-ins on a socket, and an account of each."""

    fake: AppriseFake
    http: aiohttp.ClientSession
    base: str

    @property
    def gotify(self) -> AppriseChannel:
        return channel(self.fake.account(self.base)["url"], self.http)

    @property
    def own_receiver(self) -> AppriseChannel:
        return channel(self.fake.json_address(self.base), self.http)


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    quick = aiohttp.ClientTimeout(total=1.0)
    monkeypatch.setitem(transport.call.__kwdefaults__, "timeout", quick)
    fake = AppriseFake()
    root = web.Application()
    root.add_subapp("/network", fake.app())
    async with TestServer(root, host="127.0.0.1") as server, aiohttp.ClientSession() as http:
        yield Stage(fake, http, str(server.make_url("/network")))


def of(stage: Stage, service: str) -> AppriseChannel:
    found: AppriseChannel = getattr(stage, service)
    return found


SERVICES = ("gotify", "own_receiver")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_message_arrives_as_it_was_frozen(stage: Stage, service: str) -> None:
    told = of(stage, service)
    payload = await composed(told, standfirst=r"A \t tab, :smile:, *stars* & <b> 👩🏽‍🚒")
    assert await told.post(payload) == POSTED
    [post] = stage.fake.visible()
    assert post.text == told.wording(payload).text
    assert r"A \t tab, :smile:, *stars* & <b> 👩🏽‍🚒" in post.text


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fault", OUTCOMES)
async def test_every_documented_failure_has_its_outcome_and_shows_no_secret(
    stage: Stage,
    service: str,
    fault: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "aiohttp.access")  # the stand-in's own
    told = of(stage, service)
    payload = await composed(told)
    stage.fake.faults[fault] = 1
    error = await failing(lambda: told.post(payload))
    assert type(error) is OUTCOMES[fault]
    assert stage.fake.faults[fault] == 0, "the fault never struck"
    assert len(stage.fake.creations()) == (1 if fault in TAKEN else 0), "a plugin has sent again"
    shown = "".join(traceback.format_exception(error))
    for text in (error.reason, repr(error), shown, caplog.text, *capfd.readouterr()):
        assert TOKEN not in text
        assert PASSWORD not in text


def test_every_fault_has_an_outcome() -> None:
    fake = AppriseFake()
    assert set(fake.faults) == OUTCOMES.keys() | {"not_taken"}
    assert set(FAULTS) <= fake.faults.keys()


async def test_a_success_that_the_plugin_does_not_know_is_unknown(stage: Stage) -> None:
    stage.fake.faults["not_taken"] = 1
    told = stage.gotify
    payload = await composed(told)
    error = await failing(lambda: told.post(payload))
    assert type(error) is OutcomeUnknown
    assert len(stage.fake.creations()) == 1


async def test_the_wait_is_the_services_own_and_for_the_whole_account(stage: Stage) -> None:
    stage.fake.faults["rate_limited"] = 1
    told = stage.gotify
    payload = await composed(told)
    error = await failing(lambda: told.post(payload))
    assert isinstance(error, TryAgain)
    assert (error.after, error.whole_account) == (2.0, True)


async def test_where_nothing_listens_nothing_was_sent(stage: Stage) -> None:
    told = channel(f"gotify://127.0.0.1:{unused_port()}/{TOKEN}", stage.http)
    payload = await composed(told)
    error = await failing(lambda: told.post(payload))
    assert type(error) is TryAgain
    assert error.reason == "cannot connect (ClientConnectorError)"


async def test_a_private_address_is_not_called_unless_it_is_allowed(stage: Stage) -> None:
    address = stage.fake.account(stage.base)["url"]
    async with guarded_session(OutboundPolicy()) as guarded:
        told = channel(address, guarded)
        payload = await composed(told)
        error = await failing(lambda: told.post(payload))
    assert type(error) is GiveUp
    assert "private network" in error.reason
    assert stage.fake.creations() == []
    async with guarded_session(OutboundPolicy(["127.0.0.1"])) as lenient:
        await channel(address, lenient).post(payload)
    assert len(stage.fake.creations()) == 1


async def test_a_name_that_leads_to_a_private_address_is_not_called(stage: Stage) -> None:
    port = stage.base.rpartition(":")[2].partition("/")[0]
    async with guarded_session(OutboundPolicy()) as guarded:
        told = channel(f"gotify://localhost:{port}/network/{TOKEN}", guarded)
        payload = await composed(told)
        error = await failing(lambda: told.post(payload))
    assert type(error) is GiveUp
    assert "private network" in error.reason
    assert stage.fake.creations() == []


async def test_a_wrong_token_is_dead(stage: Stage) -> None:
    told = channel(stage.fake.account(stage.base)["url"] + "x", stage.http)
    payload = await composed(told)
    assert type(await failing(lambda: told.post(payload))) is AuthDead


async def test_an_address_with_no_target_sends_nothing_and_says_so(stage: Stage) -> None:
    told = channel("ntfys://", stage.http)
    payload = await composed(told)
    error = await failing(lambda: told.post(payload))
    assert type(error) is GiveUp
    assert "nothing was sent" in error.reason


async def test_only_a_correction_is_worth_one_more_message(stage: Stage) -> None:
    told, later = stage.gotify, article(headline="Another", revision=2)
    minor = Intent("k2", Operation.EDIT, later, NOW, POSTED, change="minor")
    assert await told.compose(minor) is None
    notice = Correction(at=NOW, kind="correction", text="Roads get more, too.")
    fixed = article(revision=3, corrections=(notice,))
    payload = await told.compose(Intent("k3", Operation.EDIT, fixed, NOW, POSTED, "correction"))
    assert payload is not None
    assert await told.edit(payload, POSTED) == POSTED
    [post] = stage.fake.visible()
    assert "Correction: Roads get more, too." in post.text


async def test_what_cannot_be_done_is_said_and_calls_nobody(stage: Stage) -> None:
    told = stage.gotify
    payload = await composed(told)
    removal = Intent("k", Operation.DELETE, article(), NOW, POSTED)
    for act in (lambda: told.delete(POSTED), lambda: told.compose(removal)):
        error = await failing(act)
        assert type(error) is GiveUp
        assert "a person has to remove it" in error.reason
    assert type(await failing(lambda: told.find(payload))) is OutcomeUnknown
    assert await told.check() == "Gotify"
    assert stage.fake.creations() == []


@dataclass
class Chatty:
    """A plugin as bad as one can be: several calls, whatever comes of them, and then sleep."""

    urls: list[str]
    asleep: threading.Event | None = None
    request_rate_per_sec: float = 9
    said: list[str] = field(default_factory=list)

    def notify(self, **_: Any) -> bool:
        if self.asleep:
            self.asleep.wait()
        for url in self.urls:
            try:
                self.said.append(str(REQUESTS.post(url, data="x").status_code))
            except Exception:
                self.said.append("failed")
        return True


def chatty(made: Chatty) -> Plugin:
    plugin = Plugin.__new__(Plugin)
    plugin._make = lambda: made  # type: ignore[method-assign]
    plugin.service, plugin.room = "Chatty", Room(title=0, body=100)
    return plugin


MESSAGE = MessagePayload(title="", body="b", kind="info", limit=100)


@pytest.fixture
async def answering() -> AsyncIterator[tuple[list[str], str]]:
    """A server that answers the status which the path names, and what it was asked for."""
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=int(request.path.strip("/")))

    async with RawTestServer(answer, host="127.0.0.1") as server:
        yield asked, str(server.make_url("/"))


@pytest.mark.parametrize(
    ("statuses", "outcome", "calls"),
    [
        ((500, 200), OutcomeUnknown, 1),
        ((400, 200), GiveUp, 1),
        ((429, 200), TryAgain, 1),
        ((200, 400), OutcomeUnknown, 2),
        ((200, 429), OutcomeUnknown, 2),
        ((200, 401, 200), OutcomeUnknown, 2),
    ],
)
async def test_after_a_call_that_failed_no_other_leaves(
    stage: Stage,
    answering: tuple[list[str], str],
    statuses: tuple[int, ...],
    outcome: type[DeliveryError],
    calls: int,
) -> None:
    asked, base = answering
    made = Chatty([f"{base}{status}" for status in statuses])
    error = await failing(lambda: chatty(made).send(MESSAGE, Line(stage.http)))
    assert type(error) is outcome
    assert len(asked) == calls
    assert len(made.said) == calls - 1, "the plugin went on after a failure"
    assert made.request_rate_per_sec == 0


async def test_a_later_call_that_cannot_connect_is_unknown_too(
    stage: Stage, answering: tuple[list[str], str]
) -> None:
    _, base = answering
    made = Chatty([f"{base}200", f"http://127.0.0.1:{unused_port()}/200"])
    error = await failing(lambda: chatty(made).send(MESSAGE, Line(stage.http)))
    assert type(error) is OutcomeUnknown
    assert error.reason.startswith("in a later call: cannot connect")


@pytest.mark.parametrize("cancelled", [False, True])
async def test_what_has_not_left_in_time_never_leaves(
    stage: Stage,
    answering: tuple[list[str], str],
    monkeypatch: pytest.MonkeyPatch,
    cancelled: bool,
) -> None:
    asked, base = answering
    monkeypatch.setattr(plugins, "SECONDS", 30.0 if cancelled else 0.05)
    made = Chatty([f"{base}200"], threading.Event())
    assert made.asleep is not None
    sending = asyncio.create_task(chatty(made).send(MESSAGE, Line(stage.http)))
    if cancelled:
        await asyncio.sleep(0.05)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    else:
        assert type(await failing(lambda: sending)) is TryAgain
    made.asleep.set()
    while any(thread.name == "apprise" for thread in threading.enumerate()):
        await asyncio.sleep(0.01)
    assert asked == []
    assert made.said == []


async def test_messages_at_the_same_time_keep_to_their_own_lines(
    stage: Stage, answering: tuple[list[str], str]
) -> None:
    asked, base = answering
    plugs = [chatty(Chatty([f"{base}{200 + number % 2 * 300}"])) for number in range(8)]
    ended = await asyncio.gather(
        *(plug.send(MESSAGE, Line(stage.http)) for plug in plugs), return_exceptions=True
    )
    assert [type(one) for one in ended] == [type(None), OutcomeUnknown] * 4
    assert sorted(asked) == ["/200"] * 4 + ["/500"] * 4
