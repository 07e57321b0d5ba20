"""The sitemap service as a process would run it, over a real mongod, fed with events by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from services.sitemap.app import build
from services.sitemap.settings import SitemapSettings
from services.sitemap.store import DocumentStore, EntryStore
from services.sitemap.usecases import Sitemaps
from shared.contracts.articles import Article, ArticlePublished, ArticleUpdated, Status
from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing, write_event
from shared.messaging.bus import Bus
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.runtime.publication import load_publication
from shared.storage.client import Database
from shared.storage.outbox import Relay
from shared.web.app import make_app
from shared.web.hosting import Service
from shared.web.identity import Identities

ORIGIN = "https://news.example"
SECRET = "s" * 32
PUBLICATION = 'name = "The Example Courier"\nsections = [{slug = "city", name = "City"}]\n'


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
    sitemaps: Sitemaps
    bus: RecordingBus
    clock: ManualClock

    async def handle(self, article: Article) -> None:
        """Deliver the article's event, as the broker would."""
        model = ArticlePublished if article.revision == 1 else ArticleUpdated
        change: dict[str, Any] = {} if model is ArticlePublished else {"change": "minor"}
        data = model(article=article, acted_at=article.updated_at, **change)
        event: Event[EventData] = write_event(
            data, id=new_id(), source="/test", subject=article.id, time=article.updated_at
        )
        await self.service.subscriptions[0][1](event)

    async def reports(self) -> list[Outgoing]:
        """Everything that was reported so far."""
        relay = cast(Relay, self.service.background[-1])
        await relay.drain()
        return self.bus.published

    async def text(self, path: str) -> str:
        response = await self.client.get(path)
        assert response.status == 200, path
        return await response.text()


StartReplica = Callable[[Database], Awaitable[Replica]]


@pytest.fixture
async def start_replica(tmp_path: Path, clock: ManualClock) -> AsyncIterator[StartReplica]:
    """Starts replicas on a database; without their background loops, which the tests step."""
    file = tmp_path / "publication.toml"
    file.write_text(PUBLICATION)
    settings = SitemapSettings(
        secret_key=SecretStr(SECRET), public_url=ORIGIN, publication=file, sitemap_gather_seconds=0
    )
    async with AsyncExitStack() as stack:

        async def start(database: Database) -> Replica:
            bus = RecordingBus()
            service = build(settings, database, cast(Bus, bus), clock)
            assert service.prepare
            await service.prepare()
            app = make_app(service.routes, Identities(KeyRing(SECRET), clock))
            client = await stack.enter_async_context(TestClient(TestServer(app)))
            # The same acts on the same database, so that a test can step what the loop would do.
            sitemaps = Sitemaps(
                EntryStore(database),
                DocumentStore(database["documents"]),
                load_publication(file),
                ORIGIN,
                clock,
            )
            return Replica(service, client, sitemaps, bus, clock)

        yield start


@pytest.fixture
async def replica(start_replica: StartReplica, database: Database) -> Replica:
    return await start_replica(database)


@pytest.fixture
def make_article(clock: ManualClock) -> Callable[..., Article]:
    """Article number `n`, published `n` seconds before the clock's start."""
    start = clock.now()

    def make(number: int = 1, revision: int = 1, **changes: Any) -> Article:
        at = start - timedelta(seconds=number)
        values: dict[str, Any] = {
            "id": f"019ab000-0000-7000-8000-{number:012d}",
            "slug": f"story-{number}",
            "url": f"{ORIGIN}/articles/story-{number}",
            "headline": f"Story {number}, revision {revision}",
            "standfirst": "Short.",
            "body": "Text.",
            "body_html": "<p>Text.</p>",
            "section": "city",
            "language": "en-GB",
            "status": Status.PUBLISHED,
            "revision": revision,
            "publication": 1,
            "published_at": at,
            "updated_at": at + timedelta(minutes=revision - 1),
        }
        return Article(**{**values, **changes})

    return make
