"""The host: everything starts and stops in order, is ready only when it is useful, and ends on SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from shared.messaging.bus import Subscription
from shared.runtime.clock import ManualClock
from shared.runtime.keys import KeyRing
from shared.storage.client import Database, open_client
from shared.web.hosting import Host, Service
from shared.web.identity import Identities
from shared.web.requests import json_response


class FakeBus:
    """Records what is asked of it; `attached` is what readiness sees."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.attached: dict[str, bool] = {}
        self.failing: set[str] = set()

    def _did(self, what: str) -> None:
        self.journal.append(what)
        if what in self.failing:
            raise RuntimeError(f"{what} failed")

    async def subscribe(self, subscription: Subscription, handler: Any) -> None:
        self._did("subscribe")
        self.attached[subscription.queue] = True

    async def stop(self, grace: float = 20.0) -> None:
        self._did("bus stop")

    async def close(self) -> None:
        self._did("bus close")

    def consuming(self) -> dict[str, bool]:
        return self.attached


class Background:
    """A worker or relay that writes down when it was started and with how much grace it was stopped."""

    def __init__(self, name: str, journal: list[str], takes: float = 0.0) -> None:
        self._name, self._journal, self._takes = name, journal, takes
        self.grace: float | None = None

    def start(self) -> None:
        self._journal.append(f"{self._name} start")

    async def stop(self, grace: float) -> None:
        self.grace = grace
        await asyncio.sleep(min(self._takes, grace))
        self._journal.append(f"{self._name} stop")


class Stage:
    """One service on a fake bus, with everything it does written into one journal."""

    def __init__(self, database: Database, clock: ManualClock, grace: float = 5.0) -> None:
        self.journal: list[str] = []
        self.bus = FakeBus(self.journal)
        self.backgrounds = [
            Background("worker", self.journal, takes=0.1),
            Background("relay", self.journal, takes=9.0),
        ]
        self.host = Host(
            [
                Service(
                    name="social",
                    database=database,
                    routes=[web.get("/hello", self._hello)],
                    subscriptions=[(Subscription("social.articles", ("article.*",)), self._handle)],
                    background=self.backgrounds,
                    prepare=lambda: self._note("prepare"),
                    close=lambda: self._note("close"),
                )
            ],
            self.bus,  # type: ignore[arg-type]
            Identities(KeyRing("k" * 40), clock),
            host="127.0.0.1",
            port=0,
            grace_seconds=grace,
        )

    async def _hello(self, _: web.Request) -> web.Response:
        return json_response({"hello": True})

    async def _handle(self, _: Any) -> None: ...

    async def _note(self, what: str) -> None:
        self.bus._did(what)

    async def get(self, path: str) -> tuple[int, Any]:
        address = f"http://127.0.0.1:{self.host.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            return answer.status, await answer.text()


@pytest.fixture
def stage(database: Database, clock: ManualClock) -> Stage:
    return Stage(database, clock, grace=0.5)


STARTED = ["prepare", "subscribe", "worker start", "relay start"]
STOPPED = ["bus stop", "worker stop", "relay stop", "close", "bus close"]


async def test_it_starts_serves_and_stops_in_order_within_one_grace(stage: Stage) -> None:
    await stage.host.start()
    assert stage.journal == STARTED
    assert (await stage.get("/hello"))[0] == 200
    began = asyncio.get_running_loop().time()
    await stage.host.stop()
    assert asyncio.get_running_loop().time() - began < 1.5
    assert stage.journal == STARTED + STOPPED
    graces = [background.grace or 0.0 for background in stage.backgrounds]
    assert graces[0] <= 0.5
    assert graces[1] <= graces[0] - 0.09  # what the first one used is gone
    with pytest.raises(aiohttp.ClientConnectorError):
        await stage.get("/hello")


async def test_a_step_that_fails_does_not_keep_the_rest_from_stopping(stage: Stage) -> None:
    await stage.host.start()
    stage.bus.failing = {"bus stop", "close"}
    await stage.host.stop()
    assert stage.journal == STARTED + STOPPED
    with pytest.raises(aiohttp.ClientConnectorError):
        await stage.get("/hello")


async def test_a_start_that_fails_takes_down_what_was_up(stage: Stage) -> None:
    stage.bus.failing = {"subscribe"}
    with pytest.raises(RuntimeError, match="subscribe failed"):
        await stage.host.run_until_signal()
    assert stage.journal == ["prepare", "subscribe", *STOPPED]


async def test_ready_means_that_every_queue_and_the_database_are_there(stage: Stage) -> None:
    await stage.host.start()
    try:
        assert (await stage.get("/readyz"))[0] == 200
        stage.bus.attached["social.articles"] = False
        status, body = await stage.get("/readyz")
        assert (status, '"queue social.articles":false' in body) == (503, True)
        assert (await stage.get("/healthz"))[0] == 200
        stage.bus.attached["social.articles"] = True
        assert (await stage.get("/readyz"))[0] == 200
        status, metrics = await stage.get("/metrics")
        assert status == 200
        assert 'herald_http_requests_total{method="GET",route="/readyz",status="503"}' in metrics
    finally:
        await stage.host.stop()


async def test_a_stopping_process_says_that_it_is_not_ready(stage: Stage) -> None:
    await stage.host.start()
    stopping = asyncio.create_task(stage.host.stop())
    async with asyncio.timeout(3):
        while "bus stop" not in stage.journal:
            await asyncio.sleep(0)
    status, body = await stage.get("/readyz")
    assert (status, '"started":false' in body) == (503, True)
    await stopping


async def test_without_its_database_a_service_is_alive_but_not_ready(clock: ManualClock) -> None:
    async with open_client("mongodb://127.0.0.1:9/", timeout_seconds=0.2) as databases:
        stage = Stage(databases("none"), clock, grace=0.5)
        await stage.host.start()
        try:
            assert (await stage.get("/healthz"))[0] == 200
            status, body = await stage.get("/readyz")
            assert status == 503
            assert '"database social":' in body
        finally:
            await stage.host.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(stage: Stage, number: signal.Signals) -> None:
    running = asyncio.create_task(stage.host.run_until_signal())
    async with asyncio.timeout(3):
        while stage.journal != STARTED:
            await asyncio.sleep(0.01)
    os.kill(os.getpid(), number)
    async with asyncio.timeout(3):
        await running
    assert stage.journal == STARTED + STOPPED
