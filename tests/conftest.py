"""Fixtures that more than one suite needs: a real mongod for the session, a fresh database for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from pymongo import MongoClient

from services.standalone.mongod import Mongod
from services.standalone.rabbitmq import PrivateRabbit
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_token
from shared.storage.client import Database, open_client

Emptied = Callable[[str], AbstractAsyncContextManager[Database]]

# How long one example takes is the machine's affair: a busy one must not turn a true property false.
settings.register_profile("herald", deadline=None)
settings.load_profile("herald")


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A real one-node replica set; missing binaries are an error, never a skip."""
    server = Mongod(tmp_path_factory.mktemp("mongod") / "db")
    server.start()
    with MongoClient[dict[str, object]](server.url) as client:
        # It goes by the real time, and would delete what is still to come for a test's own clock.
        client.admin.command("setParameter", 1, ttlMonitorEnabled=False)
    yield server
    server.kill()


@pytest.fixture
async def database(mongod: Mongod) -> AsyncIterator[Database]:
    """An empty database through motor, dropped afterwards."""
    async with open_client(mongod.url) as databases:
        database = databases(f"test_{new_token()}")
        yield database
        await database.drop()


@pytest.fixture
def emptied(mongod: Mongod) -> Emptied:
    """One database for all tests of a suite, emptied after each: making its indexes takes 0.2 s."""

    @asynccontextmanager
    async def open_one(suite: str) -> AsyncIterator[Database]:
        async with open_client(mongod.url) as databases:
            database = databases(f"test_{suite}")
            yield database
            for name in await database.collection_names():
                await database[name].delete_many({})

    return open_one


@pytest.fixture(params=["motor", "pymongo"])
async def either_database(
    mongod: Mongod, request: pytest.FixtureRequest
) -> AsyncIterator[Database]:
    """The same, once through each driver: what storage promises holds over both."""
    async with open_client(mongod.url, driver=request.param) as databases:
        database = databases(f"test_{new_token()}")
        yield database
        await database.drop()


@pytest.fixture
def clock() -> ManualClock:
    """Stands at a fixed morning."""
    return ManualClock(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbit]:
    """A real RabbitMQ node; a missing package is an error, never a skip."""
    broker = PrivateRabbit(tmp_path_factory.mktemp("rabbit"))
    try:
        broker.start()
        yield broker
    finally:
        broker.close()
