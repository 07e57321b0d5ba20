"""The routes that are served are the routes that are described, and each opens at the role it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.contracts.identity import Role
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id, new_token
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


async def test_each_operation_opens_at_the_role_it_says(stack: Stack) -> None:
    assert stack.ready is not None
    identities = Identities(KeyRing(SECRET), SystemClock())
    # Tokens of nobody the API knows: signing out with one ends nothing.
    tokens = {
        role: identities.issue(new_id(), role.name, role, timedelta(hours=1))[0] for role in Role
    }
    tried = 0
    async with aiohttp.ClientSession() as session:

        async def status(method: str, path: str, operation: dict[str, Any], token: str) -> int:
            url, headers, body = _request(path, operation)
            headers["Authorization"] = f"Bearer {token}"
            assert stack.ready is not None
            address = URL(stack.ready.url + url, encoded=True)
            async with session.request(method, address, headers=headers, data=body) as answer:
                return answer.status

        for method, path, operation in _operations():
            if not operation["security"]:
                continue
            needed = Role[operation["x-herald-role"].upper()]
            assert await status(method, path, operation, "") == 401, (method, path)
            for role, token in tokens.items():
                answered = await status(method, path, operation, token)
                if role < needed:
                    assert answered == 403, (method, path, role)
                else:
                    assert answered not in {401, 403}, (method, path, role)
                tried += 1
    assert tried > 150


def _request(path: str, operation: dict[str, Any]) -> tuple[str, dict[str, str], Any]:
    """The operation's own examples as a request."""
    headers: dict[str, str] = {}
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            example = quote(str(one["example"]), safe="")
            path = path.replace(f"{{{one['name']}}}", example)
        elif one["in"] == "header" and one.get("required"):
            headers[one["name"]] = one["example"]
    for media, content in operation.get("requestBody", {"content": {}})["content"].items():
        if media == "multipart/form-data":
            form = aiohttp.FormData()
            form.add_field("file", b"not a picture", filename="x.jpg")
            return path, headers, form
        headers["Content-Type"] = media
        return path, headers, orjson.dumps(content["example"])
    return path, headers, None


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"id": "x", "name": "Ada", "role": "editor"}, None),
        ({"id": "x", "name": "Ada", "role": "editor", "shoe": 41}, "shoe"),
        ({"id": "x", "name": "Ada", "role": "boss"}, "boss"),
        ({"id": "x", "name": "Ada"}, "role"),
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
