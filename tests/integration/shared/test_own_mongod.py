"""The embedded database comes back on another port and from a killed parent, never from a living one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.standalone.mongod import FolderInUse, Mongod
from shared.storage.client import open_client

PARENT = """
import sys, time
from pathlib import Path
from services.standalone.mongod import Mongod
server = Mongod(Path(sys.argv[1]))
server.start()
print(server.url, flush=True)
time.sleep(600)
"""


async def test_the_data_survives_a_new_port_and_an_orphaned_server(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "db")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        url = parent.stdout.readline().strip()
    async with open_client(url) as databases:
        await databases("kept")["things"].insert_one({"_id": "a"})
    parent.kill()
    parent.wait()
    second = Mongod(tmp_path / "db")
    assert second.url != url
    second.start()
    try:
        async with open_client(second.url) as databases:
            assert await databases("kept")["things"].find_one({"_id": "a"})
    finally:
        second.stop()


async def test_the_database_of_a_living_parent_is_left_alone(tmp_path: Path) -> None:
    first = Mongod(tmp_path / "db")
    first.start()
    try:
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
            Mongod(tmp_path / "db").start()
        async with open_client(first.url) as databases:
            await databases("kept")["things"].insert_one({"_id": "a"})
    finally:
        first.stop()
    again = Mongod(tmp_path / "db")
    again.start()  # and a clean stop gives the folder back
    again.stop()


def test_a_server_that_died_is_known_and_starts_again_on_its_port(tmp_path: Path) -> None:
    server = Mongod(tmp_path / "db")
    assert not server.ended
    server.start()
    try:
        assert not server.ended
        os.kill(server.pid, signal.SIGKILL)
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
        assert server.ended
        url = server.url
        server.start()
        assert not server.ended
        assert server.url == url
    finally:
        server.stop()
