"""The embedded database comes back on another port, and from a parent that was killed."""

from __future__ import annotations

from pathlib import Path

from services.standalone.mongod import Mongod
from shared.storage.client import open_client


async def test_the_data_survives_a_new_port_and_an_orphaned_server(tmp_path: Path) -> None:
    first = Mongod(tmp_path / "db")
    first.start()
    async with open_client(first.url) as databases:
        await databases("kept")["things"].insert_one({"_id": "a"})
    second = Mongod(tmp_path / "db")
    assert second.port != first.port
    second.start()  # `first` was never stopped: its parent might have been killed
    try:
        async with open_client(second.url) as databases:
            assert await databases("kept")["things"].find_one({"_id": "a"})
    finally:
        second.stop()
        first.kill()
