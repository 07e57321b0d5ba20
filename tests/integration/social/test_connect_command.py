"""`herald channel app` and `connect` beside a running service: the address is printed, and the account connected."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from yarl import URL

from services.social.channels.fake_consent import CLIENT_ID, CLIENT_SECRET
from shared.contracts.identity import Role

CALLBACK = "/api/v1/channels/callback"


@dataclass
class Said:
    """How a command ended."""

    code: int | None
    out: str
    error: str


@dataclass
class Terminal:
    """Runs commands as a person would, and opens in a browser what they print."""

    process: Any

    async def herald(self, *words: str, entered: str = "", agrees: bool = False) -> Said:
        token = self.process.tokens[Role.ADMIN]
        url = f"http://127.0.0.1:{self.process.host.port}"
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services", "channel", *words, "--token", token, "--url", url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "HERALD_CLIENT_SECRET": CLIENT_SECRET},
        )
        assert running.stdin is not None
        assert running.stdout is not None
        shown = ""
        async with asyncio.timeout(60):
            while agrees and "http" not in shown:
                line = (await running.stdout.readline()).decode()
                shown += line
                assert line, (shown, (await running.communicate())[1])
            if agrees:
                await self.browse(shown.split()[-1])
            out, error = await running.communicate(entered.encode())
        return Said(running.returncode, shown + out.decode(), error.decode())

    async def browse(self, address: str) -> None:
        async with self.process.session.get(address, allow_redirects=False) as answer:
            query = URL(answer.headers["Location"]).query
        back = f"http://127.0.0.1:{self.process.host.port}{CALLBACK}"
        async with self.process.session.get(back, params=query) as answer:
            assert answer.status == 200


@pytest.fixture
async def terminal(desk: Any) -> Terminal:
    await desk.call("GET", "/api/v1/channels")  # signs in
    return Terminal(desk)


Network = Callable[[str], list[str]]


@pytest.fixture
def stand_in(world: Any) -> Network:
    """The options that say where a network answers here."""
    return lambda name: [
        part
        for field in ("server", "web")
        for part in ("--set", f"{field}={world.networks}/{name}")
    ]


async def test_the_address_is_printed_and_the_account_connected(
    terminal: Terminal, stand_in: Network
) -> None:
    early = await terminal.herald("connect", "x/main")
    assert (early.code, "409" in early.error) == (1, True), early
    kept = await terminal.herald("app", "x", "--client-id", CLIENT_ID, *stand_in("x"))
    assert (kept.code, kept.error) == (0, "")
    done = await terminal.herald("connect", "x/main", "--set", "hashtags=0", agrees=True)
    assert (done.code, "Connected x/main" in done.out) == (0, True), done
    tried = await terminal.herald("test", "x/main")
    assert tried.code == 0, tried
    again = await terminal.herald("connect", "x/main", agrees=True)
    assert again.code == 0, again
    assert CLIENT_SECRET not in "".join((kept.out, done.out, again.out))


async def test_a_person_who_refuses_ends_the_command_with_the_reason(
    terminal: Terminal, stand_in: Network, world: Any
) -> None:
    await terminal.herald("app", "x", "--client-id", CLIENT_ID, *stand_in("x"))
    world.sandbox.fakes["x"].oauth.declines = True
    refused = await terminal.herald("connect", "x/main", agrees=True)
    assert (refused.code, "access_denied" in refused.error) == (1, True), refused


async def test_one_of_several_pages_is_asked_for_or_stated(
    terminal: Terminal, stand_in: Network, world: Any
) -> None:
    await terminal.herald("app", "linkedin", "--client-id", CLIENT_ID, *stand_in("linkedin"))
    world.sandbox.fakes["linkedin"].oauth.also_runs = {"777001": "Herald [Sport]"}
    asked = await terminal.herald("connect", "linkedin/sport", agrees=True, entered="777001\n")
    assert (asked.code, "Herald [Sport]" in asked.out) == (0, True), asked
    stated = await terminal.herald("connect", "linkedin/news", "--choice", "5515715", agrees=True)
    assert stated.code == 0, stated
    wrong = await terminal.herald("connect", "linkedin/news", "--choice", "1", agrees=True)
    assert (wrong.code, "Not to be chosen" in wrong.error) == (1, True), wrong
