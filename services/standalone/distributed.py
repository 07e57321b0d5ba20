"""Every service as its own process over a private RabbitMQ and mongod, behind Caddy: the real thing, locally.

Each service starts with the command and the environment that docker-compose.yml gives it. Used by
`make demo-distributed` and by the chaos tests, which kill the parts one by one.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import aiohttp
import orjson
import yaml
from rich.console import Console

from services.standalone.catalog import NAMES
from services.standalone.declare import declare_all
from services.standalone.demo.receivers import Receivers
from services.standalone.demo.run import main_job
from services.standalone.mongod import Mongod
from services.standalone.ports import free_port
from services.standalone.rabbitmq import PrivateRabbit
from services.standalone.stack import DEFAULT_PUBLICATION
from shared.contracts.identity import Role
from shared.runtime.clock import SystemClock
from shared.runtime.keys import KeyRing
from shared.web.identity import Identities

ROOT = Path(__file__).parents[2]
CADDYFILE = ROOT / "deploy" / "Caddyfile"
COMPOSE = ROOT / "docker-compose.yml"
START_SECONDS = 60.0


class Distributed:
    """`async with Distributed(folder, settings) as it:` then `it.url` and `it.token`."""

    def __init__(
        self,
        folder: Path,
        settings: dict[str, str],
        smtp_url: str = "",
        services: tuple[str, ...] = NAMES,
    ) -> None:
        """`services` is who runs; the queues of all of them are declared in any case."""
        self._services = services
        self._folder = folder
        self._settings = settings
        self._smtp_url = smtp_url
        self._secret = secrets.token_urlsafe(48)
        self._ports = {name: free_port() for name in (*NAMES, "caddy")}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._resources = AsyncExitStack()
        self.rabbit = PrivateRabbit(folder / "rabbit")
        self.mongod = Mongod(folder / "mongo")
        self.url = f"http://127.0.0.1:{self._ports['caddy']}"
        self.token = ""

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._resources.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._resources.aclose()

    async def _start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "secret_key").write_text(self._secret)
        (self._folder / "smtp_url").write_text(self._smtp_url)
        for end in (self.rabbit.close, self.mongod.stop):
            self._resources.push_async_callback(asyncio.to_thread, end)
        await asyncio.gather(
            asyncio.to_thread(self.rabbit.start), asyncio.to_thread(self.mongod.start)
        )
        await declare_all(self.rabbit.url, 30)
        self._resources.push_async_callback(self._end_processes)
        for name in self._services:
            self.start_service(name)
        self._start_caddy()
        await asyncio.gather(*(self.wait_ready(name) for name in self._services))
        issuer = Identities(KeyRing(self._secret), SystemClock())
        self.token, _, _ = issuer.issue("operator", "Operator", Role.ADMIN, timedelta(days=1))

    def environment(self, name: str) -> dict[str, str]:
        """Exactly what docker-compose.yml gives the service, with this machine's addresses in it."""
        compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
        here = {
            "HERALD_MONGO_URL": self.mongod.url,
            "HERALD_AMQP_URL": self.rabbit.url,
            "HERALD_PUBLIC_URL": self.url,
            "HERALD_INTERNAL_URL": self.url,
            "HERALD_SECRET_KEY_FILE": str(self._folder / "secret_key"),
            "HERALD_SMTP_URL_FILE": str(self._folder / "smtp_url"),
            "HERALD_MAIL_FROM": "news@localhost",
            "HERALD_DATA_DIR": str(self._folder / name),
            "HERALD_PUBLICATION": str(DEFAULT_PUBLICATION),
            "HERALD_HOST": "127.0.0.1",
            "HERALD_PORT": str(self._ports[name]),
        }
        given = compose["services"][name]["environment"]
        local = ["127.0.0.1", "localhost"]
        return {
            "PATH": os.environ["PATH"],
            **{key: here.get(key, value) for key, value in given.items()},
            "HERALD_ALLOW_PRIVATE_HOSTS": orjson.dumps(local).decode(),
            **self._settings,
        }

    def command(self, name: str) -> list[str]:
        """The image's entry point and the command of docker-compose.yml."""
        compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
        return [sys.executable, "-m", "services", *compose["services"][name]["command"]]

    def start_service(self, name: str) -> None:
        """Start one service's process; its log goes to `<folder>/<name>.log`."""
        self._spawn(name, self.command(name), self.environment(name))

    def start_replica(self, name: str, number: int = 2) -> str:
        """Another process of a service on a port of its own; the name to `kill` or wait for it by."""
        replica = f"{name} {number}"
        self._ports[replica] = free_port()
        environment = self.environment(name) | {"HERALD_PORT": str(self._ports[replica])}
        self._spawn(replica, self.command(name), environment)
        return replica

    def _start_caddy(self) -> None:
        caddy = shutil.which("caddy")
        if caddy is None:
            raise RuntimeError("caddy is missing: apt-get install caddy")
        upstreams = {f"HERALD_{name.upper()}": f"127.0.0.1:{self._ports[name]}" for name in NAMES}
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "HERALD_LISTEN": self.url,
            **upstreams,
        }
        command = [caddy, "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
        self._spawn("caddy", command, environment)

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603  # our own commands
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """SIGKILL one service's process."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)

    def terminate(self, name: str) -> int:
        """SIGTERM one service and wait; its exit status."""
        process = self._processes.pop(name)
        process.terminate()
        return process.wait(timeout=40)

    def log_of(self, name: str) -> str:
        path = self._folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    async def wait_ready(self, name: str) -> None:
        """Until `/readyz` answers 200. Raises TimeoutError with the end of the service's log."""
        url = f"http://127.0.0.1:{self._ports[name]}/readyz"
        last: object = "no answer"
        try:
            async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
                while True:
                    process = self._processes.get(name)
                    if process is None or process.poll() is not None:
                        raise RuntimeError(f"{name} ended\n{self.log_of(name)[-3000:]}")
                    try:
                        async with session.get(url) as answer:
                            last = await answer.json()
                            if answer.status == 200:
                                return
                    except aiohttp.ClientError as error:
                        last = error
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(
                f"{name} is not ready: {last}\n{self.log_of(name)[-3000:]}"
            ) from None

    async def _end_processes(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                await asyncio.to_thread(process.wait, 40)
            except subprocess.TimeoutExpired:
                process.kill()
        self._processes.clear()


async def distributed_demo(json_file: Path | None, console: Console, probes: int) -> bool:
    """The main job over real servers; True when everything arrived exactly once."""
    with TemporaryDirectory(prefix="herald-distributed-") as folder:
        async with (
            Receivers() as receivers,
            Distributed(Path(folder), {}, receivers.smtp_url) as stack,
        ):
            console.print(f"Herald is up at {stack.url} (each service its own process)")
            return await main_job(
                stack.url, stack.token, receivers, json_file, console, probes=probes
            )
