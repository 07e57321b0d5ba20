"""Whole processes of the social service over a real mongod, with the stand-in networks and a page to link to."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from yarl import URL

from services.social.app import build
from services.social.channels.base import Fake
from services.social.sandbox.app import Sandbox
from services.social.settings import SocialSettings
from shared.contracts.articles import Article, ArticleEvent, ArticlePublished, ArticleUpdated
from shared.contracts.base import EventData
from shared.contracts.events import Event, write_event
from shared.contracts.identity import Role
from shared.contracts.outlets import OperatorAlert, OutletLine, OutletReported
from shared.messaging.bus import Subscription
from shared.messaging.memory import MemoryBus
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.storage.client import Database
from shared.web.hosting import Host, Service
from shared.web.identity import Identities, Revocations

SECRET = "a secret of more than thirty-two characters"
CONNECTED = ("mastodon", "bluesky")
"""One network that shows edits and one that does not: enough for the service; each channel has its own contract."""
OUTBOUND = Subscription("test.reports", ("outlet.#", "operator.*"))


class ShiftedClock(SystemClock):
    """The real time plus what the test has let pass: the fakes live in real time."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def advance(self, **time: float) -> None:
        self._ahead += timedelta(**time)


@dataclass
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    body: Any
    text: str

    @property
    def field(self) -> str | None:
        """The input that a problem document names."""
        return self.body.get("field") if isinstance(self.body, dict) else None


@dataclass
class Process:
    """One process of the service on a port of its own; its bus reaches nobody else."""

    host: Host
    service: Service
    bus: MemoryBus
    identities: Identities
    session: aiohttp.ClientSession
    clock: ShiftedClock
    reports: list[OutletReported] = field(default_factory=list)
    alerts: list[OperatorAlert] = field(default_factory=list)
    tokens: dict[Role, str] = field(default_factory=dict)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role | None = Role.ADMIN,
        token: str | None = None,
    ) -> Answer:
        """A request as `role`, or as nobody; `path` goes out exactly as it is spelled here."""
        headers = {}
        if role is not None and token is None:
            if role not in self.tokens:
                life = timedelta(days=30)
                self.tokens[role] = self.identities.issue("u1", f"A {role.name}", role, life)[0]
            token = self.tokens[role]
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = URL(f"http://127.0.0.1:{self.host.port}{path}", encoded=True)
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            value = await answer.json(content_type=None) if text else None
            return Answer(answer.status, value, text)

    async def connect(self, channel: str, settings: dict[str, Any], name: str = "main") -> Answer:
        body = {"channel": channel, "name": name, "settings": settings}
        return await self.call("POST", "/api/v1/channels", body)

    async def deliver(self, data: EventData) -> None:
        """Publish an event on this process's bus; returns once the handler has finished."""
        subject = data.article.id if isinstance(data, ArticleEvent) else "test"
        event = write_event(
            data, id=new_id(), source="/test", subject=subject, time=self.clock.now()
        )
        await self.bus.publish(event.outgoing())

    async def publish(self, article: Article) -> None:
        """What publishing says when this snapshot became public."""
        model = ArticlePublished if article.revision == 1 else ArticleUpdated
        more: dict[str, Any] = {} if model is ArticlePublished else {"change": "minor"}
        await self.deliver(model(article=article, acted_at=self.clock.now(), **more))

    async def deliveries(self, query: str = "?limit=100") -> list[dict[str, Any]]:
        answer = await self.call("GET", f"/api/v1/deliveries{query}")
        assert answer.status == 200, answer.text
        items: list[dict[str, Any]] = answer.body["items"]
        return items

    async def delivery(self, id: str, act: str = "", body: Any = None) -> Answer:
        """One delivery, or an act on it, under its percent-encoded id."""
        path = f"/api/v1/deliveries/{quote(id, safe='')}"
        return await self.call("POST" if act else "GET", f"{path}/{act}" if act else path, body)

    def lines(self) -> list[OutletLine]:
        return [line for report in self.reports for line in report.lines]


Start = Callable[..., Awaitable[Process]]


@dataclass
class World:
    """What is outside the service: the networks and the readers' page."""

    sandbox: Sandbox
    networks: str
    site: str
    page_is_live: asyncio.Event
    asked: list[str]

    @property
    def fakes(self) -> dict[str, Fake]:
        """The stand-ins that `connected` has an account on."""
        return {name: self.sandbox.fakes[name] for name in CONNECTED}

    def account(self, channel: str) -> dict[str, Any]:
        return dict(self.sandbox.account(channel, self.networks))

    def posts(self, channel: str) -> list[str]:
        """Texts of everything ever created there, replies aside."""
        return [p.text for p in self.sandbox.fakes[channel].creations() if not p.reply_to]

    def article(self, clock: ShiftedClock, number: int = 1, **changes: Any) -> Article:
        now = clock.now()
        fields: dict[str, Any] = {
            "id": f"019ab000-0000-7000-8000-{number:012d}",
            "slug": f"story-{number}",
            "url": f"{self.site}/articles/story-{number}",
            "headline": f"Story number {number}.",
            "standfirst": "The night boat sails again.",
            "body": "It sails.",
            "body_html": "<p>It sails.</p>",
            "section": "city",
            "language": "en",
            "status": "published",
            "revision": 1,
            "publication": 1,
            "published_at": now,
            "updated_at": now,
            **changes,
        }
        return Article(**fields)


def _card() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1200, 630), "white").save(buffer, "JPEG")
    return buffer.getvalue()


CARD = _card()
DRAWING_SECONDS = 0.1
"""What the site, a process of its own, takes for a card."""


@pytest.fixture
async def database(emptied: Any) -> AsyncIterator[Database]:
    async with emptied("social") as database:
        yield database


@pytest.fixture
async def world() -> AsyncIterator[World]:
    sandbox, live, asked = Sandbox(), asyncio.Event(), list[str]()
    live.set()

    async def page(request: web.Request) -> web.Response:
        await live.wait()
        asked.append(request.path)
        return web.Response(text="the article")

    async def card(_: web.Request) -> web.Response:
        await asyncio.sleep(DRAWING_SECONDS)
        return web.Response(body=CARD, content_type="image/jpeg")

    site = web.Application()
    site.router.add_get("/articles/{slug}", page)
    site.router.add_get("/cards/{id}/{name}", card)
    async with TestServer(sandbox.app()) as networks, TestServer(site) as pages:
        yield World(sandbox, str(networks.make_url("")), str(pages.make_url("")), live, asked)


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def start(database: Database, world: World, clock: ShiftedClock) -> AsyncIterator[Start]:
    """Starts processes on one database; `working=False` leaves out the worker and the relay."""
    async with AsyncExitStack() as stack:

        async def begin(*, working: bool = True, **settings: Any) -> Process:
            values = {
                "secret_key": SECRET,
                "public_url": world.site,
                "allow_private_hosts": ("127.0.0.1",),
                **settings,
            }
            bus = MemoryBus()
            service = build(SocialSettings(**values), database, bus, clock)
            if not working:
                service = replace(service, background=())
            # A second view of the revoked tokens, as the host of a real process has.
            known = Revocations(database["revoked_tokens"], clock)
            identities = Identities(KeyRing(SECRET), clock, known)
            host = Host([service], bus, identities, host="127.0.0.1", port=0, grace_seconds=5)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            process = Process(host, service, bus, identities, session, clock)

            async def keep(event: Event[EventData]) -> None:
                if isinstance(event.data, OutletReported):
                    process.reports.append(event.data)
                elif isinstance(event.data, OperatorAlert):
                    process.alerts.append(event.data)

            await bus.subscribe(OUTBOUND, keep)
            stack.push_async_callback(host.stop)
            await host.start()
            return process

        yield begin


@pytest.fixture
async def desk(start: Start) -> Process:
    """One process whose deliveries stand still, so that a test can look at each state."""
    return await start(working=False)


@pytest.fixture
async def connected(start: Start, world: World) -> Process:
    """One working process with an account on each network of `CONNECTED`."""
    process = await start()
    for channel in CONNECTED:
        assert (await process.connect(channel, world.account(channel))).status == 201
    return process


async def until(found: Callable[[], Any], seconds: float = 8.0) -> None:
    """Wait for something that other tasks bring about; fails when it does not come."""
    async with asyncio.timeout(seconds):
        while True:
            value = found()
            if isinstance(value, Awaitable):
                value = await value
            if value:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    return until


@pytest.fixture
async def sandbox_client() -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(Sandbox().app())) as client:
        yield client
