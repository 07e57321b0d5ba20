"""The web room over a real socket: problems, identities, caps, conditional answers, and no 5xx for bad input."""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel

from shared.contracts.identity import Role
from shared.runtime.clock import ManualClock
from shared.runtime.keys import KeyRing
from shared.storage.client import Collection, Database
from shared.storage.errors import DocumentTooLarge, StorageUnavailable
from shared.web.app import MAX_BODY_BYTES, SECURITY_HEADERS, make_app
from shared.web.conditional import prepare, serve
from shared.web.identity import ALGORITHM, Identities, Revocations, require_role
from shared.web.requests import json_response, read_json

KEYS = KeyRing("k" * 40)
Client = TestClient[web.Request, web.Application]


class Form(BaseModel):
    text: str


@pytest.fixture
async def revocations(database: Database, clock: ManualClock) -> Revocations:
    made = Revocations(database["revocations"], clock)
    await made.declare()
    return made


@pytest.fixture
def identities(clock: ManualClock, revocations: Revocations) -> Identities:
    return Identities(KEYS, clock, revocations)


@pytest.fixture
async def client(identities: Identities, clock: ManualClock) -> AsyncIterator[Client]:
    page = prepare(b"<page/>", clock.now(), "text/html")
    raised: dict[str, Exception] = {
        "unavailable": StorageUnavailable("no primary at secret-host"),
        "too-large": DocumentTooLarge("17 MB"),
        "defect": RuntimeError("the password is hunter2"),
        "conflict": web.HTTPConflict(),
        "redirect": web.HTTPFound("/page"),
    }

    async def fail(request: web.Request) -> web.Response:
        raise raised[request.match_info["how"]]

    async def echo(request: web.Request) -> web.Response:
        return json_response(await read_json(request, Form))

    async def upload(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert not isinstance(part, str)
            return json_response({"size": len(await part.read())})  # type: ignore[union-attr]
        return json_response({"size": 0})

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write_eof()
        return response

    async def whoami(request: web.Request) -> web.Response:
        identity = await require_role(request, Role.EDITOR)
        return json_response({"subject": identity.subject, "role": identity.role.name})

    async def show(request: web.Request) -> web.Response:
        return serve(request, page)

    app = make_app(
        [
            web.get("/fail/{how}", fail),
            web.post("/echo", echo),
            web.post("/upload", upload),
            web.get("/me", whoami),
            web.get("/page", show),
            web.get("/stream", stream),
        ],
        identities,
    )
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client


async def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status == status
    assert response.headers["Content-Type"] == "application/problem+json"
    for name, value in SECURITY_HEADERS.items():
        assert response.headers[name] == value
    document: dict[str, Any] = await response.json(content_type=None)
    assert document["status"] == status
    assert document["title"]
    assert document["type"] == "about:blank"
    return document


@pytest.mark.parametrize(
    ("method", "path", "status", "field"),
    [
        ("GET", "/nowhere", 404, "path"),
        ("DELETE", "/page", 405, "method"),
        ("GET", "/fail/conflict", 409, "request"),
        ("GET", "/fail/too-large", 413, "body"),
    ],
)
async def test_each_refusal_is_a_problem_that_names_its_field(
    client: Client, method: str, path: str, status: int, field: str
) -> None:
    response = await client.request(method, path)
    assert (await problem(response, status))["field"] == field
    assert (response.headers.get("Allow") == "GET,HEAD") is (status == 405)


async def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(client: Client) -> None:
    response = await client.get("/fail/unavailable")
    document = await problem(response, 503)
    assert response.headers["Retry-After"] == "2"
    assert "secret-host" not in str(document)


async def test_a_defect_leaks_nothing(client: Client) -> None:
    document = await problem(await client.get("/fail/defect"), 500)
    assert "hunter2" not in str(document)


async def test_a_redirect_carries_the_headers_too(client: Client) -> None:
    response = await client.get("/fail/redirect", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/page")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_body_is_capped_whether_it_tells_its_length_or_not(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    headers = {"Content-Type": "application/json"}
    small = await client.post("/echo", json={"text": "a"})
    assert await small.json() == {"text": "a"}
    large = BytesIO(b'{"text": "' + b"a" * MAX_BODY_BYTES + b'"}')
    assert (await problem(await client.post("/echo", data=large, headers=headers), 413))["field"]
    chunked = await client.post("/echo", data=endless(), headers=headers)
    assert (await problem(chunked, 413))["field"] == "body"


async def test_a_body_is_capped_by_what_it_unpacks_to(client: Client) -> None:
    packed = gzip.compress(b'{"text": "' + b"a" * (2 * MAX_BODY_BYTES) + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await client.post("/echo", data=packed, headers=headers)
    assert (await problem(response, 413))["field"] == "body"


@pytest.mark.parametrize(
    "body",
    [
        {f"k{number}": 1 for number in range(60_000)},
        {"text": [{}] * 100_000},
        {f"k{number}": 1 for number in range(4000)},
        {"k" * 500_000: 1},
    ],
    ids=["many fields", "many values", "fewer fields", "long name"],
)
async def test_an_answer_does_not_grow_with_the_nonsense_sent(
    client: Client, body: dict[str, Any]
) -> None:
    response = await client.post("/echo", json=body)
    assert (await problem(response, 422))["field"]
    assert len(await response.read()) < 64 * 1024


async def test_a_body_that_does_not_come_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.web.requests.BODY_SECONDS", 0.05)
    released = asyncio.Event()

    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await released.wait()

    headers = {"Content-Type": "application/json"}
    response = await client.post("/echo", data=dripping(), headers=headers)
    assert (await problem(response, 408))["field"] == "body"
    released.set()


async def test_a_stream_carries_the_headers_too_and_nobody_names_the_server(client: Client) -> None:
    async with client.get("/stream") as response:
        for name, value in SECURITY_HEADERS.items():
            assert response.headers[name] == value
        assert response.headers["Server"] == "Herald"


async def test_an_upload_may_be_larger(client: Client) -> None:
    content = b"x" * (MAX_BODY_BYTES + 5)
    response = await client.post("/upload", data={"file": BytesIO(content)})
    assert await response.json() == {"size": len(content)}


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /echo HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n%s\r\nxxxxx",
        b"POST /echo HTTP/1.1\r\nContent-Encoding: deflate\r\nContent-Length: 5\r\n%s\r\nxxxxx",
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n%s\r\nzz\r\n",
        b"POST /echo HTTP/1.1\r\nContent-Length: -5\r\n%s\r\n",
        b"GET /page?\xff=\xff HTTP/1.1\r\n%s\r\n",
        b"GET /me HTTP/1.1\r\nAuthorization: Bearer \xff.\xfe.\xfd\r\n%s\r\n",
        b"GET /me HTTP/1.1\r\nAuthorization: Bearer "
        + base64.urlsafe_b64encode(b"[" * 5500).rstrip(b"=")
        + b".e30.x\r\n%s\r\n",
        b"GET /nowhere/%%ff%%00%%ed%%b0%%80 HTTP/1.1\r\ntraceparent: \xff\r\n%s\r\n",
        b"GARBAGE\r\n%s\r\n",
    ],
)
async def test_broken_bytes_are_never_our_fault(client: Client, raw: bytes) -> None:
    common = b"Host: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(raw % common)
    async with asyncio.timeout(5):
        status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    assert 400 <= status < 500


async def bearer(client: Client, token: str) -> Any:
    return await client.get("/me", headers={"Authorization": f"Bearer {token}"})


async def test_a_good_token_is_enough_and_a_low_role_is_named(
    client: Client, identities: Identities
) -> None:
    token, _, _ = identities.issue("u1", "Ana", Role.CHIEF, timedelta(hours=1))
    assert await (await bearer(client, token)).json() == {"subject": "u1", "role": "CHIEF"}
    low, _, _ = identities.issue("u2", "Li", Role.CONTRIBUTOR, timedelta(hours=1))
    document = await problem(await bearer(client, low), 403)
    assert document["field"] == "Authorization"
    assert "editor" in document["detail"]


async def test_a_token_dies_at_its_hour(
    client: Client, identities: Identities, clock: ManualClock
) -> None:
    token, _, expires = identities.issue("u1", "Ana", Role.CHIEF, timedelta(hours=1))
    clock.advance((expires - clock.now()).total_seconds() - 1)
    assert (await bearer(client, token)).status == 200
    clock.advance(1)
    await problem(await bearer(client, token), 401)


def forged(clock: ManualClock, key: bytes, algorithm: str = ALGORITHM, **changed: Any) -> str:
    now = int(clock.now().timestamp())
    claims = {"iss": "herald", "sub": "u", "role": "admin", "jti": "j", "iat": now, "exp": now + 60}
    claims.update(changed)
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key if algorithm != "none" else None, algorithm)


@pytest.mark.parametrize(
    "changed",
    [
        {"key": KEYS.derive("other")},
        {"key": KeyRing("x" * 40).derive("identity")},
        {"algorithm": "none"},
        {"algorithm": "HS512", "key": b"x" * 64},
        {"iss": "elsewhere"},
        {"iss": None},
        {"role": "emperor"},
        {"role": 4},
        {"role": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": [1]},
        {"jti": None},
        {"sub": None},
        {"scope": 4},
        {"scope": ["articles:read"]},
    ],
)
async def test_a_forged_token_is_refused(
    client: Client, clock: ManualClock, changed: dict[str, Any]
) -> None:
    assert (await bearer(client, forged(clock, KEYS.derive("identity")))).status == 200
    token = forged(clock, **{"key": KEYS.derive("identity"), **changed})
    response = await bearer(client, token)
    assert (await problem(response, 401))["field"] == "Authorization"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic eDp5", "Bearer x.y.z"])
async def test_without_a_token_nobody_is_anybody(client: Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    await problem(await client.get("/me", headers=headers), 401)


async def test_a_revoked_token_dies_here_at_once_and_elsewhere_within_two_seconds(
    client: Client,
    identities: Identities,
    revocations: Revocations,
    database: Database,
    clock: ManualClock,
) -> None:
    here, here_id, expires = identities.issue("u", "Ana", Role.EDITOR, timedelta(hours=1))
    there, there_id, _ = identities.issue("u", "Ana", Role.EDITOR, timedelta(hours=1))
    assert (await bearer(client, here)).status == 200
    await revocations.add(here_id, expires)
    await problem(await bearer(client, here), 401)
    await Revocations(database["revocations"], clock).add(there_id, expires)  # another replica
    clock.advance(2.1)
    await problem(await bearer(client, there), 401)
    await problem(await bearer(client, here), 401)


async def test_a_token_revoked_while_the_others_are_read_stays_dead(
    revocations: Revocations, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = Collection.find

    async def slow(self: Collection, *args: Any, **options: Any) -> list[Any]:
        found = await find(self, *args, **options)
        await revocations.add("t", clock.now() + timedelta(hours=1))
        return found

    monkeypatch.setattr(Collection, "find", slow)
    assert await revocations.holds("t")


async def test_a_clock_set_back_hides_no_revocation(
    revocations: Revocations, database: Database, clock: ManualClock
) -> None:
    assert not await revocations.holds("t")
    clock.advance(-3600)
    await Revocations(database["revocations"], clock).add("t", clock.now() + timedelta(hours=2))
    assert await revocations.holds("t")


async def test_pages_answer_head_and_304_on_the_wire(client: Client) -> None:
    first = await client.get("/page")
    assert await first.read() == b"<page/>"
    head = await client.head("/page")
    assert (head.status, await head.read()) == (200, b"")
    assert head.headers["Content-Length"] == first.headers["Content-Length"]
    assert head.headers["ETag"] == first.headers["ETag"]
    for method in ("GET", "HEAD"):
        again = await client.request(
            method, "/page", headers={"If-None-Match": first.headers["ETag"]}
        )
        assert (again.status, await again.read()) == (304, b"")
