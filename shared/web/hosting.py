"""Runs one service, or several in one process: ordered start, health, ordered shutdown.

Shutdown order: not ready, consumers stop, work in hand finishes, loops and relays stop, HTTP closes.
Nothing that was acknowledged is lost and nothing new is begun.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.messaging.bus import Bus, Handler, Subscription
from shared.runtime.clock import monotonic
from shared.storage.client import Database
from shared.web.app import make_app
from shared.web.description import described
from shared.web.health import ALIVE, METRICS, READY
from shared.web.identity import Identities
from shared.web.requests import json_response

log = structlog.get_logger(__name__)


class Background(Protocol):
    """Anything that runs beside the requests: a worker, a relay, a loop."""

    def start(self) -> None: ...

    async def stop(self, grace: float) -> None: ...


@dataclass
class Service:
    """One service, wired: what its composition root hands to the host."""

    name: str
    database: Database
    routes: Sequence[web.AbstractRouteDef]
    subscriptions: Sequence[tuple[Subscription, Handler]]
    background: Sequence[Background] = ()
    """Stopped in this order; put workers before the relay that carries their reports."""
    prepare: Callable[[], Awaitable[None]] | None = None
    """Declare indexes and read what must be in memory; runs before anything is consumed."""
    close: Callable[[], Awaitable[None]] | None = None


class Host:
    """The process around services: one port, one bus."""

    def __init__(
        self,
        services: Sequence[Service],
        bus: Bus,
        identities: Identities,
        *,
        host: str,
        port: int,
        grace_seconds: float,
    ) -> None:
        self._services = services
        self._bus = bus
        self._identities = identities
        self._host, self._port = host, port
        self._grace = grace_seconds
        self._ready = False
        self._runner: web.AppRunner | None = None
        self.port = port
        self.app: web.Application | None = None

    async def start(self) -> None:
        """Prepare, listen, then consume. Afterwards `port` is the one really bound."""
        for service in self._services:
            if service.prepare:
                await service.prepare()
        routes = [route for service in self._services for route in service.routes]
        self.app = make_app([*routes, *self.health_routes()], self._identities)
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        subscriptions = [pair for service in self._services for pair in service.subscriptions]
        for subscription, handler in subscriptions:
            await self._bus.subscribe(subscription, handler)
        for service in self._services:
            for background in service.background:
                background.start()
        self._ready = True
        log.info(
            "serving", host=self._host, port=self.port, services=[s.name for s in self._services]
        )

    async def stop(self) -> None:
        """Take everything down in order, all within one grace; safe to call after a failed start.

        A step that fails is logged and the rest still happens.
        """
        self._ready = False
        deadline = monotonic() + self._grace

        def left() -> float:
            return max(0.0, deadline - monotonic())

        await _ended(self._bus.stop(left()))
        for service in self._services:
            for background in service.background:
                await _ended(background.stop(left()))
        if self._runner:
            await _ended(self._runner.cleanup())
        for service in self._services:
            if service.close:
                await _ended(service.close())
        await _ended(self._bus.close())

    async def run_until_signal(self) -> None:
        """Start, wait for SIGTERM or SIGINT, stop."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        try:
            await self.start()
            await stopping.wait()
            log.info("stopping")
        finally:
            await self.stop()

    def health_routes(self) -> list[web.AbstractRouteDef]:
        return [
            described(web.get("/healthz", self._healthz), ALIVE),
            described(web.get("/readyz", self._readyz), READY),
            described(web.get("/metrics", self._metrics), METRICS),
        ]

    async def _healthz(self, _: web.Request) -> web.Response:
        return json_response({"status": "alive"})

    async def _readyz(self, _: web.Request) -> web.Response:
        """503 until everything that makes the service useful is there."""
        checks: dict[str, Any] = {"started": self._ready}
        for queue, attached in self._bus.consuming().items():
            checks[f"queue {queue}"] = attached
        for service in self._services:
            try:
                async with asyncio.timeout(2):
                    await service.database.ping()
                checks[f"database {service.name}"] = True
            except Exception as error:
                checks[f"database {service.name}"] = str(error) or type(error).__name__
        ready = all(value is True for value in checks.values())
        return json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _ended(step: Awaitable[None]) -> None:
    try:
        await step
    except Exception:
        log.exception("a step of the shutdown failed")
