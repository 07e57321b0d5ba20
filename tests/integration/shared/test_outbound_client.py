"""The guarded client over real sockets: what a name leads to is checked, redirects and size are not trusted."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.web.outbound import (
    Forbidden,
    OutboundPolicy,
    guarded_request,
    guarded_session,
)


class Target:
    """A server on loopback that counts who reaches it."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.reached.append(request.path)
        if request.path == "/redirect":
            raise web.HTTPFound("/secret")
        return web.Response(body=b"x" * 300_000, headers={"X-Seen": "yes"})


@pytest.fixture
async def target() -> AsyncIterator[tuple[Target, int]]:
    seen = Target()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", seen.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        assert server.port is not None
        yield seen, server.port


@pytest.fixture
def leads_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name resolves to loopback, as an attacker's name server would say."""
    real = socket.getaddrinfo

    def resolved(host: Any, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.mark.usefixtures("leads_home")
async def test_a_public_name_that_leads_home_is_never_connected_to(
    target: tuple[Target, int],
) -> None:
    policy = OutboundPolicy(https_only=False)
    async with guarded_session(policy) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:  # before a byte left
            await guarded_request(session, policy, "GET", "http://rebind.example/")
        assert isinstance(caught.value.os_error.__cause__, Forbidden)
        # Even past the check of the address: the connection itself is guarded.
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://rebind.example:{target[1]}/")
    assert target[0].reached == []


async def test_a_literal_address_is_refused_at_connect_time_too(target: tuple[Target, int]) -> None:
    policy = OutboundPolicy(https_only=False)
    async with guarded_session(policy) as session:
        for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"):
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"http://{host}:{target[1]}/")
        with pytest.raises(Forbidden):
            await guarded_request(session, policy, "GET", f"http://127.0.0.1:{target[1]}/")
    assert target[0].reached == []


async def test_an_allowed_host_is_reached_without_redirects_and_with_a_capped_body(
    target: tuple[Target, int],
) -> None:
    policy = OutboundPolicy(("localhost",))
    base = f"http://localhost:{target[1]}"
    async with guarded_session(policy) as session:
        status, headers, body = await guarded_request(
            session, policy, "POST", f"{base}/hook", max_bytes=1000, data=b"hello"
        )
        assert (status, headers["x-seen"], body) == (200, "yes", b"x" * 1000)
        status, headers, _ = await guarded_request(session, policy, "GET", f"{base}/redirect")
        assert (status, headers["location"]) == (302, "/secret")
    assert target[0].reached == ["/hook", "/redirect"]


async def test_what_one_name_may_reach_another_may_not(
    target: tuple[Target, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that passed for an allowed name passes for no other name afterwards."""
    policy = OutboundPolicy(("localhost",), https_only=False)
    async with guarded_session(policy) as session:
        await guarded_request(session, policy, "GET", f"http://localhost:{target[1]}/first")
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda _, *rest, **more: real("127.0.0.1", *rest, **more)
        )
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://rebind.example:{target[1]}/second")
        with pytest.raises(Forbidden):
            await guarded_request(session, policy, "GET", f"http://127.0.0.1:{target[1]}/third")
    assert target[0].reached == ["/first"]
