"""The desk with 100,000 articles: lists, filters and reads stay quick, and a publish costs what it always cost.

Two newsrooms in one run, one with 100 articles and one with 100,000, measured in turn, so that a slow or
busy machine slows both.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.publishing import app as publishing
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.settings import PublishingSettings
from services.publishing.store.documents import to_document
from services.standalone.mongod import Mongod
from shared.contracts.articles import Status
from shared.contracts.identity import Role
from shared.messaging.memory import MemoryBus
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id, new_token
from shared.runtime.keys import KeyRing
from shared.storage.client import Database, open_client
from shared.web.app import make_app
from shared.web.identity import Identities, Revocations

pytestmark = [pytest.mark.integration, pytest.mark.timed]

FEW, MANY = 100, 100_000
SECRET = "a secret of more than thirty-two characters"
ROUNDS = 30
WARM = 5
STATUSES = [Status.DRAFT, Status.IN_REVIEW, *[Status.PUBLISHED] * 8]
QUERIES = {
    "list": "limit=50",
    "status": "limit=50&status=draft,in_review",
    "section": "limit=50&section=world",
    "both": "limit=50&section=world&status=published",
    "tag": "limit=50&tag=tag-77",
    "mine": "limit=50&mine=true",
    "search, rare": "limit=50&q=number 4242",
    "search, common": "limit=50&q=council harbour",
    "search, nothing": "limit=50&q=council zeppelin",
}


def stored(number: int, now: datetime) -> dict[str, Any]:
    """One article as an act would have left it."""
    status = STATUSES[number % len(STATUSES)]
    content = Content.model_validate(
        {
            "headline": f"Council decides on harbour plan number {number}",
            "standfirst": "A long debate ended before midnight.",
            "body": "The vote was close. " * 20,
            "section": "world" if number % 5 == 0 else "city",
            "bylines": [f"Reporter {number % 50}"],
            "tags": [f"tag-{number % 200}", "council"],
        }
    )
    published = now - timedelta(minutes=number) if status is Status.PUBLISHED else None
    copy = WorkingCopy(
        id=new_id(),
        content=content,
        slug=f"council-decides-{number}",
        body_html="<p>The vote was close.</p>",
        language="en",
        lead_files=(),
        status=status,
        revision=2,
        publication=int(published is not None),
        published_at=published,
        updated_at=now,
        corrections=(),
        retraction=None,
        redirects=(),
        live=None,
        created_at=now,
        created_by="me" if number % 100 == 0 else "somebody",
    )
    return {"_id": copy.id, **to_document(copy), "awaiting": []}


class Room:
    """One newsroom behind a real socket."""

    def __init__(self, client: TestClient[Any, Any], token: str, database: Database) -> None:
        self.client, self.database = client, database
        self._headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self.client.request(method, path, json=body, headers=self._headers) as answer:
            value = await answer.json()
            assert answer.status < 300, value
            return value

    async def timed(self, method: str, path: str, body: Any = None) -> float:
        began = time.perf_counter()
        await self.call(method, path, body)
        return (time.perf_counter() - began) * 1000


@pytest.fixture
async def rooms(mongod: Mongod, tmp_path: Path) -> AsyncIterator[dict[int, Room]]:
    masthead = tmp_path / "publication.toml"
    masthead.write_text(
        'name = "The Test"\n[[sections]]\nslug = "city"\nname = "City"\n'
        '[[sections]]\nslug = "world"\nname = "World"\n'
    )
    settings = PublishingSettings(secret_key=SECRET, publication=masthead)
    clock, made = SystemClock(), {}
    async with open_client(mongod.url) as databases:
        for size in (FEW, MANY):
            database = databases(f"test_scale_{size}_{new_token()[:8]}")
            service = publishing.build(settings, database, MemoryBus(), clock)
            assert service.prepare is not None
            await service.prepare()
            now = datetime.now(UTC)
            for start in range(0, size, 1000):
                batch = [stored(number, now) for number in range(start, min(size, start + 1000))]
                await database._raw["articles"].insert_many(batch, ordered=False)
                await asyncio.sleep(0)
            identities = Identities(
                KeyRing(SECRET), clock, Revocations(database["revoked_tokens"], clock)
            )
            token, _, _ = identities.issue("me", "Me", Role.CHIEF, timedelta(hours=1))
            client: TestClient[Any, Any] = TestClient(
                TestServer(make_app(service.routes, identities))
            )
            await client.start_server()
            made[size] = Room(client, token, database)
        yield made
        for room in made.values():
            await room.client.close()
            await room.database.drop()


async def test_a_hundred_thousand_articles_slow_nothing_down(rooms: dict[int, Room]) -> None:
    few, many = rooms[FEW], rooms[MANY]
    medians = {}
    for name, query in QUERIES.items():
        times = [await many.timed("GET", f"/api/v1/articles?{query}") for _ in range(ROUNDS)]
        medians[name] = statistics.median(times)
    page = await many.call("GET", "/api/v1/articles?limit=100&section=world")
    ids = [one["id"] for one in page["items"]][:ROUNDS]
    medians["read"] = statistics.median(
        [await many.timed("GET", f"/api/v1/articles/{id}") for id in ids]
    )
    publish: dict[int, list[float]] = {FEW: [], MANY: []}
    body = {"body": "It is done.", "section": "city", "bylines": ["Me"]}
    for number in range(WARM + 3 * ROUNDS):
        # In turn first and second: whoever is second pays for what the first left behind.
        for size, room in [(FEW, few), (MANY, many)][:: 1 if number % 2 else -1]:
            made = await room.call("POST", "/api/v1/articles", {"headline": f"N {number}", **body})
            taken = await room.timed("POST", f"/api/v1/articles/{made['id']}/publish")
            if number >= WARM:
                publish[size].append(taken)
    cost = {size: statistics.median(times) for size, times in publish.items()}
    ratio = cost[MANY] / cost[FEW]
    shown = ", ".join(f"{name} {milliseconds:.1f}" for name, milliseconds in medians.items())
    print(f"\nwith {MANY:,} articles, medians in ms: {shown}")
    print(f"publish: {cost[FEW]:.1f} ms with {FEW}, {cost[MANY]:.1f} ms with {MANY:,}: {ratio:.2f}")
    assert max(medians.values()) < 50, medians
    assert ratio < 1.25
