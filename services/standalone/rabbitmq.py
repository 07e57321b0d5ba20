"""A real RabbitMQ node of our own: private name, ports, cookie and epmd, in a folder. Loopback only.

For tests, the distributed demo and chaos. Never touches an installed broker or its files, and ends
only processes that it started.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from services.standalone.ports import free_port

_HOME = Path("/usr/lib/rabbitmq/bin")  # the one in /usr/sbin would switch the user
_READY_SECONDS = 60.0
_END_SECONDS = 60.0


class RabbitMissing(RuntimeError):
    """Raised when RabbitMQ is not installed."""


class PrivateRabbit:
    """Start, stop, kill, wipe and start again on the same ports. Blocking: call from a thread."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._port, self._dist_port, self._epmd_port = free_port(), free_port(), free_port()
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    @property
    def pid(self) -> int:
        """The Erlang machine's process id."""
        if self._node is None:
            raise RuntimeError("rabbitmq is not running")
        return self._node.pid

    def start(self) -> None:
        """Return once it speaks AMQP (about 7 s), at once when it is running already.

        Raises `RabbitMissing`, or RuntimeError with the end of the log.
        """
        if self._node is not None and self._node.poll() is None:
            return
        server, epmd = _HOME / "rabbitmq-server", shutil.which("epmd")
        if not server.exists() or epmd is None:
            raise RabbitMissing(f"{server} is missing: apt-get install rabbitmq-server")
        environment = self._environment()
        if self._epmd is None:
            # Ours in the foreground; otherwise the node starts a daemon that outlives it.
            self._epmd = subprocess.Popen(  # noqa: S603  # fixed arguments
                [epmd, "-port", str(self._epmd_port), "-address", "127.0.0.1"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        output = (self._base / "console.log").open("ab")
        with output:
            self._node = subprocess.Popen(  # noqa: S603  # fixed arguments
                [str(server)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._speaks_amqp():
            if time.monotonic() > deadline or self._node.poll() is not None:
                tail = (self._base / "console.log").read_text(errors="replace")[-2000:]
                self.kill()
                raise RuntimeError(f"rabbitmq did not start\n{tail}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End it cleanly; the data stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def wipe(self) -> None:
        """Delete all data of the stopped node: the next start is an empty broker."""
        if self._node is not None:
            raise RuntimeError("stop the broker before wiping it")
        shutil.rmtree(self._base / "mnesia", ignore_errors=True)

    def close(self) -> None:
        """Kill the node and end its epmd."""
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(_END_SECONDS)
            self._epmd = None

    def settle(self) -> None:
        """Write the queue registry to disk.

        Killed within minutes of declaring, a 3.10 node forgets its quorum queues and every
        confirmed message in them (rabbitmq/ra#443); a node of some age has done this by itself.
        """
        self.control("eval", "[dets:sync(T) || T <- dets:all()].")

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl`; returns what it printed. Raises CalledProcessError."""
        done = subprocess.run(  # noqa: S603  # our own node, arguments of our own tests
            [str(_HOME / "rabbitmqctl"), "--quiet", *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
            timeout=_END_SECONDS,
        )
        return done.stdout

    def _end(self, number: signal.Signals) -> None:
        if self._node is None:
            return
        if self._node.poll() is None:
            self._node.send_signal(number)
            self._node.wait(_END_SECONDS)
        self._node = None

    def _speaks_amqp(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as probe:
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(probe.recv(1))
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        base = self._base
        home = base / "home"
        home.mkdir(parents=True, exist_ok=True)
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)
        for name, content in (("rabbitmq.conf", ""), ("enabled_plugins", "[].\n")):
            (base / name).write_text(content)
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": "herald@localhost",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_MNESIA_BASE": str(base / "mnesia"),
            "RABBITMQ_LOG_BASE": str(base / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(base / "generated"),
            "RABBITMQ_CONFIG_FILE": str(base / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_PID_FILE": str(base / "pid"),
            "RABBITMQ_ALLOW_INPUT": "1",  # the script execs: the child's pid is the Erlang machine
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }
