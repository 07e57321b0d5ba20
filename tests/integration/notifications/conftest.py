"""The notifications service over a real mongod, a real SMTP server, a partner's endpoint and article pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from services.notifications.app import build
from services.notifications.settings import NotificationsSettings
from services.standalone.ports import free_port
from shared.contracts.articles import (
    Article,
    ArticlePublished,
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
    Correction,
    Retraction,
    Status,
)
from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing, read_event, write_event
from shared.contracts.identity import Role
from shared.contracts.outlets import OutletLine, OutletReported
from shared.delivery.worker import Worker
from shared.messaging.bus import Bus
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.runtime.loops import Loop
from shared.storage.client import Database
from shared.storage.outbox import Relay
from shared.web.app import make_app
from shared.web.hosting import Service
from shared.web.identity import Identities

ORIGIN = "https://news.example"
SECRET = "s" * 32
PUBLICATION = 'name = "The Example Courier"\nsections = [{slug = "city", name = "City"}]\n'


@dataclass
class Inbox:
    """An SMTP server that keeps what it accepts and refuses as its script says."""

    accepted: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    """Sender and recipient of each accepted message."""
    at_recipient: list[str] = field(default_factory=list)
    """Replies to the next RCPT commands; taken when empty."""
    at_message: list[str] = field(default_factory=list)
    """Replies to the next messages; `hang up` takes the message and then says nothing."""
    sessions: int = 0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.at_recipient:
            return self.at_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        reply = self.at_message.pop(0) if self.at_message else "250 OK"
        if reply.startswith(("4", "5")):
            return reply
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.accepted.append(message)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos[0]))
        if reply == "hang up":
            server.transport.abort()
        return reply

    def to(self, recipient: str) -> list[str]:
        """Subjects of what this recipient has got, in order."""
        return [str(one["Subject"]) for one in self.accepted if str(one["To"]) == recipient]


@dataclass
class Partner:
    """A webhook receiver: keeps what arrives and answers as its script says (204 when empty)."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[web.Response | str] = field(default_factory=list)
    """`silence` keeps the connection open without a word."""

    async def receive(self, request: web.Request) -> web.Response:
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        answer = self.answers.pop(0) if self.answers else web.Response(status=204)
        if isinstance(answer, str):
            await asyncio.sleep(30)
            raise AssertionError("the sender waited for ever")
        return answer

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [orjson.loads(raw) for _, raw in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@dataclass
class Pages:
    """The readers' site: which status every article's page has."""

    status: int = 200
    asked: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status)


class RecordingBus:
    """Keeps what a relay publishes."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    async def publish(self, message: Outgoing) -> None:
        self.published.append(message)


MODELS: dict[Status, type[ArticlePublished | ArticleRetracted | ArticleUnpublished]] = {
    Status.PUBLISHED: ArticlePublished,
    Status.RETRACTED: ArticleRetracted,
    Status.UNPUBLISHED: ArticleUnpublished,
}


@dataclass
class Replica:
    """One running process of the service, whose loops the test steps."""

    service: Service
    client: TestClient[Any, Any]
    bus: RecordingBus
    clock: ManualClock
    identities: Identities

    @property
    def mail(self) -> Worker:
        return cast(Worker, self.service.background[0])

    @property
    def hooks(self) -> Worker:
        return cast(Worker, self.service.background[1])

    async def deliver(self, event: Event[EventData]) -> None:
        await self.service.subscriptions[0][1](event)

    async def handle(self, article: Article) -> None:
        """Deliver the article's event, as the broker would."""
        model: Any = MODELS[article.status]
        more: dict[str, Any] = {}
        if article.status is Status.PUBLISHED and article.revision > 1:
            model = ArticleUpdated
            more = {"change": "correction" if article.corrections else "minor"}
        data = model(article=article, acted_at=article.updated_at, **more)
        await self.deliver(
            write_event(
                data, id=new_id(), source="/test", subject=article.id, time=article.updated_at
            )
        )

    async def work(self) -> None:
        """Everything that is due now: mails, webhooks, sums, reports."""
        await self.mail.run_due()
        await self.hooks.run_due()
        await self.sum_up()

    async def sum_up(self) -> None:
        await cast(Loop, self.service.background[2])._step()
        await cast(Relay, self.service.background[3]).drain()

    def lines(self, outlet: str = "email") -> list[OutletLine]:
        """The newest line of each delivery key that was reported for the outlet."""
        newest: dict[str, OutletLine] = {}
        for message in self.bus.published:
            data = read_event(message.body).data
            for line in data.lines if isinstance(data, OutletReported) else ():
                known = newest.get(line.delivery)
                if line.outlet == outlet and (known is None or line.sequence >= known.sequence):
                    newest[line.delivery] = line
        return list(newest.values())

    async def call(
        self, method: str, path: str, body: Any = None, role: Role | None = Role.ADMIN
    ) -> tuple[int, Any]:
        headers = {}
        if role is not None:
            token, _, _ = self.identities.issue("u", "Una", role, timedelta(hours=1))
            headers["Authorization"] = f"Bearer {token}"
        async with self.client.request(method, path, json=body, headers=headers) as answer:
            raw = await answer.read()
            return answer.status, orjson.loads(raw) if raw else None

    async def subscribe(self, *names: str) -> None:
        """Readers whose consent is older than any article of the test."""
        for name in names:
            status, _ = await self.call(
                "POST",
                "/api/v1/subscribers",
                {
                    "email": f"{name}@readers.example",
                    "lists": ["alerts"],
                    "confirmed": True,
                    "consent": "paper form",
                },
            )
            assert status == 201

    async def deliveries(self, **query: str) -> list[dict[str, Any]]:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        status, found = await self.call("GET", f"/api/v1/notifications/deliveries?{text}")
        assert status == 200
        items: list[dict[str, Any]] = found["items"]
        return items


@pytest.fixture
async def database(emptied: Any) -> AsyncIterator[Database]:
    async with emptied("notifications") as database:
        yield database


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def smtp_url(inbox: Inbox) -> Iterator[str]:
    port = free_port()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    yield f"smtp://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
async def partner() -> AsyncIterator[Partner]:
    found = Partner()
    app = web.Application()
    app.router.add_post("/hook", found.receive)
    async with TestServer(app, host="127.0.0.1") as server:
        found.url = f"http://127.0.0.1:{server.port}/hook"
        yield found


@pytest.fixture
async def pages() -> AsyncIterator[tuple[Pages, str]]:
    found = Pages()
    app = web.Application()
    app.router.add_get("/articles/{slug}", found.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield found, f"http://127.0.0.1:{server.port}"


StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def start_replica(
    tmp_path: Path,
    database: Database,
    clock: ManualClock,
    pages: tuple[Pages, str],
) -> AsyncIterator[StartReplica]:
    """Starts replicas on the test's database; their loops do not run."""
    file = tmp_path / "publication.toml"
    file.write_text(PUBLICATION)
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Replica:
            settings = NotificationsSettings(
                **{
                    "secret_key": SecretStr(SECRET),
                    "public_url": ORIGIN,
                    "internal_url": pages[1],
                    "publication": file,
                    "data_dir": tmp_path,
                    "mail_from": "news@courier.example",
                    "allow_private_hosts": ("127.0.0.1",),
                    **changes,
                }
            )
            bus = RecordingBus()
            service = build(settings, database, cast(Bus, bus), clock)
            assert service.prepare
            assert service.close
            await service.prepare()
            stack.push_async_callback(service.close)
            identities = Identities(KeyRing(SECRET), clock)
            app = make_app(service.routes, identities)
            client = await stack.enter_async_context(TestClient(TestServer(app)))
            return Replica(service, client, bus, clock, identities)

        yield start


@pytest.fixture
async def replica(start_replica: StartReplica, smtp_url: str) -> Replica:
    """The service with a relay."""
    return await start_replica(smtp_url=SecretStr(smtp_url))


@pytest.fixture
def story(clock: ManualClock) -> Callable[..., Article]:
    """Article number `n` at a revision, as acted on right now."""

    def make(revision: int = 1, number: int = 1, corrections: int = 0, **changes: Any) -> Article:
        now = clock.now()
        values: dict[str, Any] = {
            "id": f"019ab000-0000-7000-8000-{number:012d}",
            "slug": f"story-{number}",
            "url": f"{ORIGIN}/articles/story-{number}",
            "headline": f"Story {number}",
            "standfirst": "Short.",
            "body": "Text.",
            "body_html": "<p>Text.</p>",
            "section": "city",
            "language": "en-GB",
            "status": Status.PUBLISHED,
            "revision": revision,
            "publication": 1,
            "published_at": now,
            "updated_at": now,
            "corrections": tuple(
                Correction(at=now, kind="correction", text=f"Notice {n + 1}.")
                for n in range(corrections)
            ),
        }
        if changes.get("status") is Status.RETRACTED:
            values["retraction"] = Retraction(at=now, reason="It was not so.")
        return Article(**{**values, **changes})

    return make
