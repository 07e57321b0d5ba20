"""The routes that are served are the routes that are described, and what is answered is what is described."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_token
from shared.runtime.keys import KeyRing
from shared.web.app import make_app
from shared.web.identity import Identities
from shared.web.openapi import COMMITTED
from shared.web.requests import json_response

pytestmark = pytest.mark.integration

SECRET = "a secret of more than thirty-two characters"
DOCUMENT: dict[str, Any] = orjson.loads(COMMITTED.read_bytes())


@pytest.fixture
async def stack(mongod: Mongod, tmp_path: Path) -> AsyncIterator[Stack]:
    options = Options(
        data=tmp_path / "data",
        port=0,
        sandbox_port=None,
        mongo_url=mongod.url,
        settings={"mongo_prefix": f"routes_{new_token()[:8]}", "secret_key": SECRET},
    )
    async with Stack(options) as running:
        yield running


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def test_what_is_served_is_described_and_the_other_way_round(stack: Stack) -> None:
    assert stack.host is not None
    assert stack.host.app is not None
    served = {
        (route.method, route.resource.canonical)
        for route in stack.host.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {(method, path) for method, path, _ in _operations()}


async def test_the_document_and_its_page_are_served_to_everybody(stack: Stack) -> None:
    assert stack.ready is not None
    async with aiohttp.ClientSession(stack.ready.url) as session:
        async with session.get("/api/v1/openapi.json") as answer:
            assert answer.content_type == "application/json"
            assert await answer.json() == DOCUMENT
            etag = answer.headers["ETag"]
        held = {"If-None-Match": etag}
        async with session.get("/api/v1/openapi.json", headers=held) as again:
            assert again.status == 304
        async with session.get("/api/v1/docs") as page:
            text = await page.text()
            assert page.content_type == "text/html"
            assert (
                "default-src 'none'; style-src 'sha256-" in page.headers["Content-Security-Policy"]
            )
            assert stack.ready.url in text
            held = {"If-None-Match": page.headers["ETag"]}
        async with session.get("/api/v1/docs", headers=held) as again:
            assert again.status == 304
            assert "Content-Security-Policy" in again.headers


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"id": "x", "name": "Ada", "totp": False, "role": "editor"}, None),
        ({"id": "x", "name": "Ada", "totp": False, "role": "editor", "shoe": 41}, "shoe"),
        ({"id": "x", "name": "Ada", "totp": False, "role": "boss"}, "boss"),
        ({"id": "x", "name": "Ada", "totp": False}, "role"),
    ],
)
async def test_an_answer_that_is_not_described_fails_the_test_it_is_seen_in(
    described_answers: list[str], answer: dict[str, Any], wrong: str | None
) -> None:
    async def me(_: web.Request) -> web.Response:
        return json_response(answer)

    identities = Identities(KeyRing(SECRET), SystemClock())
    async with TestClient(TestServer(make_app([web.get("/api/v1/me", me)], identities))) as client:
        await client.get("/api/v1/me")
    if wrong is None:
        assert described_answers == []
    else:
        (found,) = described_answers
        assert wrong in found
        described_answers.clear()


@pytest.mark.parametrize("status", [202, 418])
async def test_a_status_that_is_not_described_fails_too(
    described_answers: list[str], status: int
) -> None:
    async def me(_: web.Request) -> web.Response:
        return json_response({}, status=status)

    identities = Identities(KeyRing(SECRET), SystemClock())
    async with TestClient(TestServer(make_app([web.get("/api/v1/me", me)], identities))) as client:
        await client.get("/api/v1/me")
    assert described_answers == [f"GET /api/v1/me: {status} is not described"]
    described_answers.clear()
