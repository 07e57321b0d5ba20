"""`herald up` outlives its database, refuses a second start on its folder, and takes a corrected file."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from services.standalone.client import ApiError, HeraldClient
from services.standalone.mongod import FolderInUse
from services.standalone.stack import Options, Stack


async def ready(url: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
        return answer.status == 200


async def test_the_database_is_started_again_and_never_taken_from_a_living_stack(
    tmp_path: Path,
) -> None:
    options = Options(data=tmp_path / "data", port=0, sandbox_port=None)
    async with Stack(options) as stack:
        assert stack.ready is not None
        url = stack.ready.url
        with pytest.raises(FolderInUse):
            async with Stack(options):
                pass
        assert await ready(url)

        lock = tmp_path / "data" / "mongo" / "mongod.lock"
        first = int(lock.read_text())
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            while lock.read_text().strip() in {"", str(first)} or not await ready(url):
                await asyncio.sleep(0.1)


async def test_a_refused_file_can_be_put_right_and_published(tmp_path: Path) -> None:
    story = tmp_path / "story.md"
    head = "---\nheadline: The ferry sails\nslug: the-ferry-sails\nbylines: [Ana]\n"
    async with Stack(Options(data=tmp_path / "data", port=0, sandbox_port=None)) as stack:
        assert stack.ready is not None
        async with HeraldClient(stack.ready.url, stack.ready.admin_token) as client:
            story.write_text(f"{head}---\nAt noon.\n")
            with pytest.raises(ApiError, match="section"):
                await client.publish_file(story)
            assert (await client.call("GET", "/api/v1/articles"))["items"] == []
            story.write_text(f"{head}section: city\n---\nAt noon.\n")
            assert (await client.publish_file(story))["slug"] == "the-ferry-sails"
