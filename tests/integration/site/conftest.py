"""The site as a process would run it, over a real mongod, fed with events by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from services.site.app import build
from services.site.settings import SiteSettings
from shared.contracts.articles import (
    Article,
    ArticlePublished,
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
    Status,
)
from shared.contracts.base import EventData
from shared.contracts.events import Outgoing, read_event, write_event
from shared.contracts.outlets import OutletReported
from shared.messaging.bus import Bus
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.storage.client import Database
from shared.storage.outbox import Relay
from shared.web.app import make_app
from shared.web.hosting import Service
from shared.web.identity import Identities

ORIGIN = "https://news.example"
SECRET = "s" * 32
PUBLICATION = """
name = "The Example Courier"
tagline = "{tagline}"
time_zone = "Europe/Lisbon"
sections = [{{slug = "city", name = "City"}}, {{slug = "world", name = "World"}}]
"""

MakeArticle = Callable[..., Article]


class RecordingBus:
    """Keeps what a relay publishes."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    async def publish(self, message: Outgoing) -> None:
        self.published.append(message)


@dataclass
class Replica:
    """One running process of the service."""

    service: Service
    client: TestClient[Any, Any]
    bus: RecordingBus

    async def send(self, data: EventData) -> None:
        """Deliver an event, as the broker would."""
        event = write_event(data, id=new_id(), source="/test", subject="x", time=datetime.now(UTC))
        await self.service.subscriptions[0][1](read_event(event.wire()))

    async def handle(self, article: Article) -> None:
        """Deliver the event that this snapshot would come in."""
        fields: dict[str, Any] = {"article": article, "acted_at": article.updated_at}
        if article.status is Status.RETRACTED:
            await self.send(ArticleRetracted(**fields))
        elif article.status is Status.UNPUBLISHED:
            await self.send(ArticleUnpublished(**fields))
        elif article.revision == 1:
            await self.send(ArticlePublished(**fields))
        else:
            await self.send(ArticleUpdated(**fields, change="correction"))

    async def get(self, path: str, **headers: str) -> ClientResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=named, allow_redirects=False)

    async def text(self, path: str) -> str:
        return await (await self.get(path)).text()

    async def reports(self) -> list[OutletReported]:
        """Everything that was reported so far, oldest first."""
        await cast(Relay, self.service.background[-1]).drain()
        events = [read_event(message.body) for message in self.bus.published]
        return [event.data for event in events if isinstance(event.data, OutletReported)]


StartReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def database(emptied: Any) -> AsyncIterator[Database]:
    async with emptied("site") as database:
        yield database


@pytest.fixture
async def start_replica(
    database: Database, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[StartReplica]:
    """Starts replicas over the one database; each may come from another version of the paper."""
    async with AsyncExitStack() as stack:

        async def start(tagline: str = "News & weather") -> Replica:
            file = tmp_path / "publication.toml"
            file.write_text(PUBLICATION.format(tagline=tagline))
            settings = SiteSettings(
                secret_key=SecretStr(SECRET), public_url=ORIGIN, publication=file
            )
            bus = RecordingBus()
            service = build(settings, database, cast(Bus, bus), clock)
            assert service.prepare is not None
            await service.prepare()
            app = make_app(service.routes, Identities(KeyRing(SECRET), clock))
            client = await stack.enter_async_context(TestClient(TestServer(app)))
            return Replica(service, client, bus)

        yield start


@pytest.fixture
async def replica(start_replica: StartReplica) -> Replica:
    return await start_replica()


@pytest.fixture
def make_article(clock: ManualClock) -> MakeArticle:
    def make(**changes: Any) -> Article:
        slug = changes.get("slug", "harbour-opens")
        values: dict[str, Any] = {
            "id": "019ab000-0000-7000-8000-000000000001",
            "slug": slug,
            "url": f"{ORIGIN}/articles/{slug}",
            "headline": "The harbour opens",
            "standfirst": "After two years of work.",
            "body": "Ships came in.",
            "body_html": "<p>Ships came in.</p>",
            "section": "city",
            "language": "en",
            "status": Status.PUBLISHED,
            "revision": 1,
            "publication": 1,
            "published_at": clock.now(),
            "updated_at": clock.now(),
        }
        return Article(**{**values, **changes})

    return make
