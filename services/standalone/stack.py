"""The embedded stack: every service in this process, a mongod child, the in-process bus, one port."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson
import structlog
from aiohttp import web

from services.publishing.app import front_desk
from services.social.sandbox.app import Sandbox
from services.standalone.catalog import NAMES, all_subscriptions, entry
from services.standalone.first_start import first_admin
from services.standalone.mongod import Mongod
from services.standalone.ports import free_port
from services.standalone.single import identities
from shared.messaging.opening import open_bus
from shared.runtime.clock import SystemClock
from shared.runtime.loops import Loop
from shared.runtime.settings import PREFIX
from shared.storage.client import open_client
from shared.storage.errors import StorageUnavailable
from shared.web.hosting import Host
from shared.web.identity import Revocations

log = structlog.get_logger(__name__)

MONGOD_LOOK_SECONDS = 1.0
MONGOD_GRACE_SECONDS = 30.0
DEFAULT_PUBLICATION = Path(__file__).parents[2] / "deploy" / "publication.toml"


@dataclass
class Options:
    """What `herald up` may be told; everything has a default that works."""

    data: Path = Path("var")
    port: int = 8080
    sandbox_port: int | None = 8090
    """None for no stand-in networks; 0 for any free port."""
    mongo_url: str | None = None
    """None for a mongod of our own below `data`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """More settings by field name, for every service that knows the field."""


@dataclass
class Ready:
    """What is known once everything is up."""

    url: str
    admin_token: str
    sandbox_url: str | None
    mail_dir: str
    relay: bool
    """True when mail leaves through an SMTP relay instead of landing in `mail_dir`."""
    admin_email: str
    admin_password: str | None
    """Only at the very first start."""

    def write(self, path: Path) -> None:
        """The ready file: written whole or not at all, readable by its owner only."""
        content = {
            "url": self.url,
            "admin_token": self.admin_token,
            "sandbox_url": self.sandbox_url,
            "mail_dir": self.mail_dir,
            "pid": os.getpid(),
        }
        partial = path.with_suffix(path.suffix + ".part")
        partial.touch(mode=0o600)
        partial.write_bytes(orjson.dumps(content))
        partial.replace(path)


class Stack:
    """`async with Stack(options) as ready:` runs it all and takes it down in order."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._resources = AsyncExitStack()
        self.ready: Ready | None = None
        self.host: Host | None = None
        self.prefix = ""

    async def __aenter__(self) -> Self:
        try:
            self.ready = await self._start()
        except BaseException:
            await self._resources.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._resources.aclose()

    async def _start(self) -> Ready:
        options = self._options
        data = options.data.resolve()
        data.mkdir(parents=True, exist_ok=True)
        port = options.port or free_port()
        url = f"http://127.0.0.1:{port}"
        mongo_url = options.mongo_url or await self._mongod(data / "mongo")
        values = {
            "mongo_url": mongo_url,
            "amqp_url": "memory://",
            "internal_url": url,
            "data_dir": data,
            "host": "127.0.0.1",
            "port": port,
            "allow_private_hosts": ("127.0.0.1", "localhost"),
            **_where_unset("public_url", lambda: url),
            **_where_unset("publication", lambda: DEFAULT_PUBLICATION),
            **_where_unset("secret_key", lambda: _own_secret(data)),
            **options.settings,
        }
        clock = SystemClock()
        bus = open_bus("memory://", pause_on=(StorageUnavailable,))
        databases = await self._resources.enter_async_context(open_client(mongo_url))
        services, loaded = [], {}
        for name in NAMES:
            found = entry(name)
            settings = found.settings(**values)
            loaded[name] = settings
            self.prefix = settings.mongo_prefix
            database = databases(f"{settings.mongo_prefix}_{name}")
            services.append(found.build(settings, database, bus, clock))
        await bus.declare(all_subscriptions())
        publishing = databases(f"{loaded['publishing'].mongo_prefix}_publishing")
        trusted = identities(
            loaded["publishing"], Revocations(publishing["revoked_tokens"], clock), clock
        )
        host = Host(
            services,
            bus,
            trusted,
            host="127.0.0.1",
            port=port,
            grace_seconds=loaded["publishing"].grace_seconds,
        )
        self.host = host
        self._resources.push_async_callback(host.stop)
        await host.start()
        admin = await first_admin(front_desk(loaded["publishing"], publishing, clock))
        sandbox_url = await self._sandbox(options.sandbox_port)
        mail = loaded["notifications"]
        mail_dir = Path(mail.mail_dir or data / "mail")
        mail_dir.mkdir(parents=True, exist_ok=True)
        return Ready(
            url,
            admin.token,
            sandbox_url,
            str(mail_dir),
            mail.smtp_url is not None,
            admin.email,
            admin.password,
        )

    async def _mongod(self, folder: Path) -> str:
        server = Mongod(folder)
        await asyncio.to_thread(server.start)
        self._resources.push_async_callback(asyncio.to_thread, server.stop)
        watch = Loop("mongod", lambda: _start_again(server))
        watch.start()
        self._resources.push_async_callback(watch.stop, MONGOD_GRACE_SECONDS)
        return server.url

    async def _sandbox(self, port: int | None) -> str | None:
        if port is None:
            return None
        runner = web.AppRunner(Sandbox().app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._resources.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _start_again(server: Mongod) -> float:
    """One look at our mongod; out of memory or a stray kill must not leave us without a database."""
    if server.ended:
        log.error("mongod ended; starting it again", folder=str(server.folder))
        await asyncio.to_thread(server.start)
    return MONGOD_LOOK_SECONDS


def _where_unset(name: str, default: Callable[[], object]) -> dict[str, object]:
    """Our own value for a setting, unless the environment has one."""
    variables = (f"{PREFIX}{name.upper()}", f"{PREFIX}{name.upper()}_FILE")
    return {} if any(os.environ.get(variable) for variable in variables) else {name: default()}


def _own_secret(data: Path) -> str:
    """The installation's secret, made at the first start and kept beside the data."""
    path = data / "secret.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()
