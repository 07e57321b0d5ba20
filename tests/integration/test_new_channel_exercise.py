"""A channel is one folder: what `docs/new-channel.md` says, done in a copy of the repository that gets nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "new-channel.md"
EXERCISE = ROOT / "docs" / "exercise" / "noticeboard"
FOLDER = "services/social/channels/noticeboard"
LEFT_BEHIND = frozenset({
    ".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis",
    ".import_linter_cache", "var", "dist", "node_modules",
})  # fmt: skip
"""What tools write for themselves, and git does not keep."""
FEWEST_PROMISES = 50
"""Tests of the suites for one channel; far fewer would mean that they have not found it."""


def commands() -> list[list[str]]:
    """The blocks of the page in order, each as its commands."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [block.replace("\\\n", " ").strip().splitlines() for block in blocks]


def tree(root: Path) -> dict[str, str]:
    """Every file below, by what is in it."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in LEFT_BEHIND]
        for path in (Path(folder) / name for name in names if name not in LEFT_BEHIND):
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def copied(to: Path) -> Path:
    """A checkout of its own, with our tools and what mypy knows already."""
    shutil.copytree(ROOT, to, ignore=lambda _, names: LEFT_BEHIND & set(names), symlinks=True)
    (to / ".venv").symlink_to(sys.prefix)
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", to / ".mypy_cache", dirs_exist_ok=True)
    return to


def surroundings(copy: Path, **more: str) -> dict[str, str]:
    """The environment of a person at work in the copy, not of the test around it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HERALD_", "PYTEST_", "COV_"))
    }
    return {**kept, "PYTHONPATH": str(copy), **more}


async def done(copy: Path, command: str, **more: str) -> str:
    """What the command said; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=copy, env=surroundings(copy, **more), start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:  # another command has failed, so nobody waits for this one
            os.killpg(process.pid, signal.SIGKILL)
    said = told.decode(errors="replace")
    assert process.returncode == 0, f"{command}\n{said[-8000:]}"
    return said


@asynccontextmanager
async def up(copy: Path, data: Path) -> AsyncIterator[dict[str, Any]]:
    """`herald up` of the copy; what its ready file says."""
    ready = data / "ready.json"
    process = await asyncio.create_subprocess_exec(
        ".venv/bin/herald", "up", "--data", str(data), "--port", "0", "--sandbox-port", "0",
        "--ready-file", str(ready), cwd=copy, env=surroundings(copy),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            while not ready.exists():
                assert process.returncode is None, "herald up has ended"
                await asyncio.sleep(0.1)
        yield json.loads(ready.read_text())
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def published(copy: Path, data: Path, lines: list[str]) -> None:
    """An article reaches the stand-in of the new channel, once."""
    data.mkdir()
    async with up(copy, data) as ready:
        told = {
            "HERALD_URL": ready["url"],
            "HERALD_TOKEN": ready["admin_token"],
            "SANDBOX": ready["sandbox_url"],
        }
        for line in lines:
            await done(copy, line, **told)
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{ready['sandbox_url']}/received") as answer,
        ):
            received = (await answer.json())["noticeboard"]
    [notice] = received["created"]
    assert received["visible"] == [notice]
    assert notice["text"].startswith(headline(copy))
    assert "utm_source=noticeboard" in notice["text"]


def headline(copy: Path) -> str:
    text = (copy / "examples" / "library-opens-all-night.md").read_text(encoding="utf-8")
    found = re.search(r"^headline: (.+)$", text, re.MULTILINE)
    assert found
    return found[1].strip("\"'")


def test_the_page_leads_through_every_file_of_the_exercise() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for path in EXERCISE.iterdir():
        if path.name not in LEFT_BEHIND:
            assert f"(exercise/noticeboard/{path.name})" in page
    for target in re.findall(r"\]\(([^)#:]+)\)", page):
        assert (PAGE.parent / target).exists(), target


async def test_a_new_channel_is_one_folder_and_nothing_else(tmp_path: Path) -> None:
    copy = copied(tmp_path / "herald")
    before = tree(copy)
    [copying], lint, [suites], publishing = commands()
    assert copying == "cp -r docs/exercise/noticeboard services/social/channels/"
    assert [line.partition(" ")[0] for line in lint] == [
        ".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/lint-imports",
    ]  # fmt: skip
    await done(copy, copying)
    where = await done(
        copy, f".venv/bin/python -c 'import {FOLDER.replace('/', '.')} as it; print(it.__file__)'"
    )
    assert where.strip() == str(copy / FOLDER / "__init__.py")

    async with asyncio.TaskGroup() as together:
        suite = together.create_task(done(copy, suites))
        together.create_task(done(copy, "\n".join(["set -e", *lint])))
        together.create_task(published(copy, tmp_path / "data", publishing))
    summary = suite.result().strip().splitlines()[-1]
    passed = re.search(r"(\d+) passed", summary)
    assert passed is not None, summary
    assert int(passed[1]) >= FEWEST_PROMISES
    assert "skipped" not in summary

    after = tree(copy)
    came = {name for name in after if name not in before}
    assert came == {f"{FOLDER}/{name}" for name in tree(EXERCISE)}
    assert {name: after.get(name) for name in before} == before, "something else has changed"
