"""The OpenAPI document of every service as one, from the routes themselves. Never edited by hand.

`python -m services.standalone.openapi` prints it; with `--write` it replaces the committed `openapi.json`,
which publishing serves.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
from aiohttp import web

from services.standalone.catalog import NAMES, entry
from services.standalone.stack import DEFAULT_PUBLICATION
from shared.messaging.opening import open_bus
from shared.runtime.clock import SystemClock
from shared.runtime.keys import KeyRing
from shared.storage.client import open_client
from shared.web.hosting import Host
from shared.web.identity import Identities
from shared.web.openapi import COMMITTED, document

NOWHERE = "mongodb://127.0.0.1:9/?replicaSet=rs0"
"""Building a service asks its database for nothing, so none has to be there."""
SECRET = "describes only, and signs nothing at all"  # noqa: S105


async def routes() -> list[web.AbstractRouteDef]:
    """Every route of every service, each built as it is to be served."""
    clock, bus = SystemClock(), open_bus("memory://")
    values = {
        "mongo_url": NOWHERE,
        "secret_key": SECRET,
        "publication": DEFAULT_PUBLICATION,
    }
    async with open_client(NOWHERE) as databases:
        services = []
        for name in NAMES:
            found = entry(name)
            settings = found.settings(**values)
            services.append(found.build(settings, databases(name), bus, clock))
        host = Host(
            services,
            bus,
            Identities(KeyRing(SECRET), clock),
            host="127.0.0.1",
            port=0,
            grace_seconds=0,
        )
        return [*(route for service in services for route in service.routes), *host.health_routes()]


async def merged() -> dict[str, Any]:
    """The document of them all."""
    return document(await routes())


async def rendered() -> bytes:
    """The bytes of the committed file."""
    return orjson.dumps(await merged(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        COMMITTED.write_bytes(asyncio.run(rendered()))
    else:
        sys.stdout.buffer.write(asyncio.run(rendered()))
