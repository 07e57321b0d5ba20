"""Runs one service as a process of its own, as Docker Compose does."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop

from services.standalone.catalog import PORTS, Entry
from services.standalone.complaints import fail, settings_read
from shared.cards.typefaces import CannotDraw
from shared.messaging.bus import Bus
from shared.messaging.opening import open_bus
from shared.runtime.clock import SystemClock
from shared.runtime.keys import KeyRing
from shared.runtime.logging import configure_logging
from shared.runtime.settings import PREFIX, Settings
from shared.runtime.tracing import configure_tracing
from shared.storage.client import open_client
from shared.storage.errors import StorageError, StorageUnavailable
from shared.web.hosting import Host
from shared.web.identity import Identities, Revocations


def run_service(found: Entry) -> None:
    """Read the environment, serve until SIGTERM."""
    with settings_read():
        settings = found.settings()
    if "port" not in settings.model_fields_set:
        settings = settings.model_copy(update={"port": PORTS[found.name]})
    configure_logging(found.name, settings.log_level, settings.log_format)
    configure_tracing()
    try:
        bus = open_bus(settings.amqp_url, pause_on=(StorageUnavailable,))
    except ValueError as error:
        fail(f"{PREFIX}AMQP_URL: {error}")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(found, settings, bus))
    except (StorageError, CannotDraw) as error:  # only at the start; the orchestrator tries again
        fail(str(error))


async def _serve(found: Entry, settings: Settings, bus: Bus) -> None:
    clock = SystemClock()
    async with open_client(settings.mongo_url) as databases:
        database = databases(f"{settings.mongo_prefix}_{found.name}")
        service = found.build(settings, database, bus, clock)
        host = Host(
            [service],
            bus,
            identities(settings, Revocations(database["revoked_tokens"], clock), clock),
            host=settings.host,
            port=settings.port,
            grace_seconds=settings.grace_seconds,
        )
        await host.run_until_signal()


def identities(settings: Any, revocations: Revocations, clock: SystemClock) -> Identities:
    """The verifier that all services of one installation agree on."""
    return Identities(KeyRing(settings.secret_key.get_secret_value()), clock, revocations)
