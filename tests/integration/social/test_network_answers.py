"""A network's answer is read to its end, however slowly it comes, and never beyond the cap."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.social.channels import transport
from shared.delivery.errors import GiveUp


async def _slow(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b'{"text": "' + b"a" * 1000)
    await asyncio.sleep(0.05)
    await answer.write(b"b" * 200_000 + b'"}')
    return answer


async def test_an_answer_that_comes_in_pieces_is_whole() -> None:
    app = web.Application()
    app.router.add_get("/", _slow)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        answer = await transport.call(session, "GET", str(server.make_url("/")), mutation=False)
    assert answer.body == {"text": "a" * 1000 + "b" * 200_000}


async def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 5000)
    app = web.Application()
    app.router.add_get("/", _slow)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        answer = await transport.call(session, "GET", str(server.make_url("/")), mutation=False)
    assert (answer.body, len(answer.text)) == (None, 5000)


@pytest.mark.parametrize("host", ["1.2.3.999", "a..b.example", "a" * 64 + ".example"])
@pytest.mark.parametrize("mutation", [True, False])
async def test_a_host_that_cannot_be_is_no_doubt(host: str, mutation: bool) -> None:
    """Nothing has left, so nobody has to look whether something arrived."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(GiveUp, match="no host"):
            await transport.call(session, "POST", f"https://{host}/", mutation=mutation)
