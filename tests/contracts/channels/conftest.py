"""A social desk around one channel's fake: the real accounts, ledger, worker and guards over a real mongod."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from services.social.cards import Cards
from services.social.changes import Changes
from services.social.channels import discover
from services.social.channels.base import ChannelSpec, Fake
from services.social.handlers import Planning, unwatched
from services.social.oauth.alerts import Alerts
from services.social.oauth.apps import Apps
from services.social.oauth.asking import Asking
from services.social.oauth.renewing import Renewals
from services.social.oauth.store import Credentials
from services.social.standing import Standings
from services.social.store import Accounts
from services.social.worker import SocialOutside
from shared.cards.card import Size, card
from shared.cards.drawing import draw
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.contracts.events import Outgoing
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.ledger import Ledger
from shared.delivery.model import Delivery
from shared.delivery.own_origin import OwnOrigin
from shared.delivery.worker import Worker
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.runtime.publication import load_publication
from shared.storage.client import Database
from shared.storage.held import HeldArticles

LEASE_SECONDS = 90
CORRECTS = re.compile(r"[?&]utm_content=(\d+-)?correction-")
QUICK = aiohttp.ClientTimeout(total=0.4)
"""A fake that hangs must cost this suite a moment, not the half minute of production."""


class ShiftedClock(SystemClock):
    """The real time plus what the test has let pass: the fakes and their reset times live in real time."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)

    def catch_up(self) -> None:
        """Back to the real time, for a story that has nothing to do with those before it."""
        self._ahead = timedelta()


class Crash(BaseException):
    """The process dies here: nothing after it runs, nothing handles it."""


class Wire:
    """The line of every worker process to the network: keeps what went over it, and fails at one call, once.

    `killed before` and `killed after` end the process just before a call leaves and once the network has
    done its part; `no answer` and `broken answer` let the network do its part, and lose what it says.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._strike: tuple[int, str] | None = None
        self.calls: list[Heard] = []

    def strike(self, number: int, how: str) -> None:
        """Fail at the `number`-th call from now."""
        self.calls.clear()
        self._strike = number, how

    @property
    def waiting(self) -> bool:
        """Whether the call to fail at has not come."""
        return self._strike is not None

    def spare(self) -> None:
        self._strike = None

    @asynccontextmanager
    async def request(self, method: str, url: Any, **options: Any) -> AsyncIterator[Heard]:
        """What `aiohttp.ClientSession.request` is for `transport.call`."""
        heard = Heard(method, str(url))
        self.calls.append(heard)
        how = None
        if self._strike and len(self.calls) == self._strike[0]:
            how, self._strike = self._strike[1], None
        if how == "killed before":
            raise Crash(heard.url)
        options["timeout"] = QUICK
        async with self._session.request(method, url, **options) as response:
            heard.body = await response.read()
            heard.status, heard.headers = response.status, dict(response.headers)
        if how == "killed after":
            raise Crash(heard.url)
        if how == "no answer":
            raise aiohttp.ServerTimeoutError("the answer was lost")
        if how == "broken answer":
            heard.status, heard.headers, heard.body = 502, {}, b"<html>Bad Gateway</html>"
        yield heard


@dataclass
class Heard:
    """One call and what the network said, which is also the response that `transport.call` reads."""

    method: str
    url: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content(self) -> Heard:
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self.body


class Crashing:
    """The real outside, but the process dies at one point, once; another takes its place."""

    def __init__(self, start: Callable[[], SocialOutside]) -> None:
        self._start = start
        self._inner = start()
        self.at: str | None = None
        self.passes = 0
        """How often the point is passed alive before."""

    def restart(self) -> None:
        """A new process, which knows only what is written down."""
        self._inner = self._start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _die(self, point: str) -> None:
        if self.at == point:
            self.passes -= 1
            if self.passes < 0:
                self.at, self.passes = None, 0
                raise Crash(point)

    async def compose(self, *args: Any) -> Any:
        composed = await self._inner.compose(*args)
        self._die("before arming")
        return composed

    async def guard(self, *args: Any) -> Any:
        verdict = await self._inner.guard(*args)
        self._die("armed, before sending")
        return verdict

    async def send(self, *args: Any) -> Any:
        result = await self._inner.send(*args)
        self._die("sent, before recording")
        return result


@dataclass
class SocialDesk:
    """Everything a contract test needs of one channel."""

    spec: ChannelSpec
    fake: Fake
    clock: ShiftedClock
    accounts: Accounts
    held: HeldArticles
    ledger: Ledger
    standings: Standings
    outside: Crashing
    wire: Wire
    planning: Planning
    url: str
    cards: Cards
    pictures: dict[str, bytes]
    """What our own origin hands out below `/media/`, by path."""
    events: list[Outgoing] = field(default_factory=list)

    def article(self, **changes: Any) -> Article:
        """A published article with a lead image, at revision 2 unless told otherwise."""
        now = self.clock.now()
        fields: dict[str, Any] = {
            "id": new_id(),
            "slug": "ferry",
            "url": f"{self.url}/articles/ferry",
            "headline": "Ferry returns to the northern quay",
            "standfirst": "After two winters the night boat sails again.",
            "body": "It sails.",
            "body_html": "<p>It sails.</p>",
            "section": "city",
            "tags": ("harbour", "night boat"),
            "language": "en",
            "lead_image": LeadImage(
                media_id="m1",
                alt="A white ferry at dusk",
                renditions=(
                    Rendition(
                        name="w800",
                        url=f"{self.url}/media/m1/w800.jpg",
                        width=800,
                        height=450,
                        media_type="image/jpeg",
                        size=len(IMAGE),
                    ),
                ),
            ),
            "status": "published",
            "revision": 2,
            "publication": 1,
            "published_at": now,
            "updated_at": now,
            **changes,
        }
        return Article(**fields)

    async def take_in(self, article: Article) -> None:
        """What the intake does with an article event."""
        held = await self.held.hold(article, acted_at=self.clock.now(), traceparent=None)
        if held is not None:
            await self.planning.apply(held)

    async def work(self) -> None:
        """One worker process until nothing is due; a crash ends it where it is."""
        try:
            await Worker(self.ledger, self.outside, self.clock).run_due()
        except Crash:
            self.outside.restart()

    async def work_it_off(self, article: Article, *, rounds: int = 12) -> None:
        """Let time pass and workers come until everything of this article is final."""
        for _ in range(rounds):
            await self.work()
            left = [d for d in await self.ledger.of_article(article.id) if not d.state.final]
            if all(
                one.task or (one.state is DeliveryState.UNKNOWN and not one.due_at) for one in left
            ):
                return  # nothing is left, or nothing that comes right by itself
            self.clock.advance(LEASE_SECONDS * 4)

    async def breathe(self) -> None:
        """Let pass, in real time, the few seconds that the network's own window still asks for."""
        told = [float(one.headers.get("Retry-After", 0)) for one in self.wire.calls[-1:]]
        await asyncio.sleep(min(3.0, sum(told)))

    async def only(self, article: Article, operation: Operation = Operation.POST) -> Delivery:
        found = [d for d in await self.ledger.of_article(article.id) if d.operation is operation]
        assert len(found) == 1
        return found[0]

    def posts(self) -> list[Any]:
        """What was ever created but for what follows a post: replies, and messages that correct it.

        Where there are no replies, a correction is told from its post by the link.
        """
        made = (post for post in self.fake.creations() if not post.reply_to)
        return [post for post in made if not CORRECTS.search(post.link or post.text)]


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (800, 450), (40, 80, 120)).save(buffer, "JPEG")
    return buffer.getvalue()


IMAGE = _jpeg()
Image.init()
"""Else the first bytes that are no picture load every plugin: longer than a short time limit on a busy machine."""


@pytest.fixture
async def database(emptied: Any) -> AsyncIterator[Database]:
    async with emptied("channels") as database:
        yield database


@pytest.fixture(params=sorted(discover()))
async def desk(
    request: pytest.FixtureRequest,
    database: Database,
) -> AsyncIterator[SocialDesk]:
    spec = discover()[request.param]
    clock = ShiftedClock()
    fake = spec.fake()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="the article")

    pictures: dict[str, bytes] = {}

    async def media(request: web.Request) -> web.Response:
        path = f"{request.match_info['id']}/{request.match_info['name']}"
        return web.Response(body=pictures.get(path, IMAGE), content_type="image/jpeg")

    publication = load_publication(Path("deploy/publication.toml"))

    async def drawn(request: web.Request) -> web.Response:
        known = await held.get(request.match_info["id"])
        assert known is not None
        size = Size(request.match_info["size"])
        content = await asyncio.to_thread(draw, card(known.article, publication, url, size))
        return web.Response(body=content, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/articles/{slug}", page)
    app.router.add_get("/media/{id}/{name}", media)
    app.router.add_get("/cards/{id}/{digest}-{size}.jpg", drawn)
    app.add_subapp("/network", fake.app())
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    events: list[Outgoing] = []

    def wake(_: str, __: str) -> None:
        """Events stay in their documents; no relay runs here."""

    session = aiohttp.ClientSession()
    vault = KeyRing("s" * 40).vault("channel credentials")
    accounts = Accounts(database, vault, clock)
    held = HeldArticles(database["articles"])
    ledger = Ledger(
        database["deliveries"], clock, lambda _: None, wake, lease_seconds=LEASE_SECONDS
    )
    own = OwnOrigin(lambda: session, public_url=url, origin=url)
    cards = Cards(publication, url, own.rendition)
    wire = Wire(session)
    alerts = Alerts(accounts, clock, wake)
    renewals = Renewals(
        Credentials(accounts, vault, clock),
        Apps(database, vault, clock),
        alerts,
        Asking(lambda: session),
        discover,
        clock,
    )
    standings = Standings(database, clock, alerts, ledger.hasten, wake)

    def start() -> SocialOutside:
        line: Any = wire
        return SocialOutside(
            accounts,
            held,
            lambda: line,
            clock,
            own=own,
            cards=cards,
            alerts=alerts,
            renewals=renewals,
            changes=Changes(accounts, alerts, ledger, unwatched),
            standings=standings,
        )

    planning = Planning(ledger, accounts, timedelta(days=30), lambda: None)
    await ledger.declare()
    await accounts.add(spec.name, "main", fake.account(f"{url}/network"))
    yield SocialDesk(
        spec,
        fake,
        clock,
        accounts,
        held,
        ledger,
        standings,
        Crashing(start),
        wire,
        planning,
        url,
        cards,
        pictures,
        events,
    )
    await session.close()
    await runner.cleanup()
