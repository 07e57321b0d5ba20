"""The whole publishing service over a real mongod and a real socket, with a bus that only records."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from PIL import Image

from services.publishing import app as publishing
from services.publishing.domain.passwords import Passwords
from services.publishing.settings import PublishingSettings
from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing, read_event, write_event
from shared.contracts.identity import Role
from shared.contracts.outlets import DeliveryState, Operation, OutletLine, OutletReported
from shared.messaging.bus import BrokerUnavailable
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.storage.client import Database
from shared.storage.outbox import Relay
from shared.web.app import make_app
from shared.web.hosting import Service
from shared.web.identity import Identities, Revocations

SECRET = "a secret of more than thirty-two characters"
ORIGIN = "https://news.example"
NOBODY = "http://127.0.0.1:1"
"""Where the other services would be reached from inside."""
READY = {
    "headline": "Harbour bridge reopens",
    "body": "The bridge *reopened* on Monday.",
    "section": "city",
    "bylines": ["Ada Quill"],
}


class RecordingBus:
    """Keeps what is published; `away` makes it refuse as a broker that is down does."""

    def __init__(self) -> None:
        self.sent: list[Event[EventData]] = []
        self.away = False

    async def publish(self, message: Outgoing) -> None:
        if self.away:
            raise BrokerUnavailable("down")
        self.sent.append(read_event(message.body))


@dataclass
class Desk:
    """A newsroom under test: one client, a token for each role, the service behind it."""

    client: TestClient[Any, Any]
    service: Service
    bus: RecordingBus
    database: Database
    clock: ManualClock
    settings: PublishingSettings
    identities: Identities
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str | None = "editor",
        match: str | int | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, Any]:
        """Status, JSON (or bytes), headers."""
        sent = dict(headers or {})
        if role:
            sent["Authorization"] = f"Bearer {self.tokens.get(role, role)}"
        if match is not None:
            sent["If-Match"] = f'"{match}"' if isinstance(match, int) else match
        async with self.client.request(method, path, json=body, headers=sent) as answer:
            raw = await answer.read()
            value = await answer.json(content_type=None) if b"json" in _type(answer) else raw
            return answer.status, value, answer.headers

    async def article(self, role: str = "editor", **fields: Any) -> dict[str, Any]:
        """A draft with everything publishing needs."""
        status, made, _ = await self.call("POST", "/api/v1/articles", READY | fields, role=role)
        assert status == 201, made
        return made  # type: ignore[no-any-return]

    async def act(
        self, article_id: str, name: str, body: Any = None, *, match: Any = "*", role: str = "chief"
    ) -> dict[str, Any]:
        path = f"/api/v1/articles/{article_id}/{name}"
        status, done, _ = await self.call("POST", path, body, role=role, match=match)
        assert status == 200, done
        return done  # type: ignore[no-any-return]

    async def published(self, **fields: Any) -> dict[str, Any]:
        made = await self.article(**fields)
        return await self.act(made["id"], "publish", match=made["revision"])

    async def relayed(self) -> list[Event[EventData]]:
        """Send everything that waits, as a relay started after a crash would; answer what went out."""
        relay = Relay(
            [self.database["articles"], self.database["tokens"]], self.bus.publish, self.clock
        )
        await relay.drain()
        return self.bus.sent

    async def report(
        self,
        article_id: str,
        revision: int,
        service: str,
        *lines: OutletLine,
        partial: bool = False,
    ) -> None:
        data = OutletReported(
            service=service,
            article_id=article_id,
            revision=revision,
            partial=partial,
            lines=lines,
            at=self.clock.now(),
        )
        await self.deliver(data, article_id)

    async def deliver(self, data: EventData, subject: str) -> None:
        """Hand an event to the service's own handler, as the bus does."""
        event = write_event(
            data, id=new_id(), source="/test", subject=subject, time=self.clock.now()
        )
        ((_, handle),) = self.service.subscriptions
        await handle(event)

    async def repair(self) -> None:
        """One step of the repair loop."""
        await self._loop("repair")

    async def fire(self) -> None:
        """One step of the scheduler."""
        await self._loop("scheduler")

    async def _loop(self, name: str) -> None:
        (loop,) = [one for one in self.service.background if getattr(one, "name", "") == name]
        await loop._step()  # type: ignore[attr-defined]

    async def upload(self, content: bytes, role: str = "editor", name: str = "file") -> Any:
        form = FormData()
        form.add_field(name, content, filename="picture", content_type="application/octet-stream")
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}
        async with self.client.post("/api/v1/media", data=form, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    @staticmethod
    def line(
        outlet: str,
        sequence: int,
        state: DeliveryState = DeliveryState.CONFIRMED,
        revision: int = 2,
    ) -> OutletLine:
        """A line of the board as an outlet reports it."""
        return OutletLine(
            outlet=outlet,
            delivery=f"a:{outlet}:post:1",
            operation=Operation.POST,
            state=state,
            sequence=sequence,
            revision=revision,
        )

    @staticmethod
    def picture(width: int = 64, height: int = 48, kind: str = "JPEG") -> bytes:
        """An encoded picture with something to see in it."""
        out = io.BytesIO()
        Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind)
        return out.getvalue()


def _type(answer: Any) -> bytes:
    return str(answer.headers.get("Content-Type", "")).encode()


@pytest.fixture
async def database(emptied: Any) -> AsyncIterator[Database]:
    async with emptied("publishing") as database:
        yield database


@pytest.fixture
def settings(tmp_path: Path) -> PublishingSettings:
    masthead = tmp_path / "publication.toml"
    masthead.write_text(
        'name = "The Test"\nlanguage = "en"\n'
        '[[sections]]\nslug = "city"\nname = "City"\n'
        '[[sections]]\nslug = "world"\nname = "World"\n'
    )
    return PublishingSettings(
        secret_key=SECRET, public_url=ORIGIN, publication=masthead, internal_url=NOBODY
    )


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id with the least work it allows: the rules are under test, not the processor."""
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(publishing, "Passwords", lambda: quick)


@pytest.fixture
async def start(
    database: Database, clock: ManualClock, settings: PublishingSettings, quick_passwords: None
) -> AsyncIterator[Callable[[], Awaitable[Desk]]]:
    """Starts a service on the test's database; a second one is a second replica."""
    clients: list[TestClient[Any, Any]] = []
    services: list[Service] = []

    async def started() -> Desk:
        bus = RecordingBus()
        service = publishing.build(settings, database, bus, clock)  # type: ignore[arg-type]
        assert service.prepare is not None
        await service.prepare()
        identities = Identities(
            KeyRing(SECRET), clock, Revocations(database["revoked_tokens"], clock)
        )
        client: TestClient[Any, Any] = TestClient(TestServer(make_app(service.routes, identities)))
        await client.start_server()
        clients.append(client)
        services.append(service)
        desk = Desk(client, service, bus, database, clock, settings, identities)
        for role in Role:
            person = new_id()
            desk.people[role.name.lower()] = person
            desk.tokens[role.name.lower()] = identities.issue(
                person, role.name.title(), role, timedelta(days=1)
            )[0]
        return desk

    yield started
    for client in clients:
        await client.close()
    for service in services:
        assert service.close is not None
        await service.close()


@pytest.fixture
async def desk(start: Callable[[], Awaitable[Desk]]) -> Desk:
    """One replica; its loops do not run, so that each test drives them itself."""
    return await start()
