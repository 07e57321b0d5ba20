"""How the stand-in server reads requests and words refusals."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from services.social.channels.bluesky.fake_lexicon import Invalid

ROOT: web.RequestKey[str] = web.RequestKey("root", str)
"""The address that the stand-in is reached at, with the path it is mounted below."""


def bearer(request: web.Request) -> str:
    """The token. Raises `PermissionError` where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise PermissionError("Authentication Required")
    return token


async def read_json(request: web.Request, needed: set[str], optional: set[str]) -> dict[str, Any]:
    """A JSON object with the `needed` and no unknown fields. Raises `Invalid`."""
    if request.content_type != "application/json":
        raise Invalid(f"Wrong request encoding (Content-Type): {request.content_type}")
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise Invalid("Request body is not JSON") from error
    if not isinstance(body, dict):
        raise Invalid("Input must be an object")
    if missing := needed - body.keys():
        raise Invalid(f'Input must have the property "{min(missing)}"')
    if unknown := body.keys() - needed - optional:
        raise Invalid(f'Input has the unknown property "{min(unknown)}"')
    return body


def answer(body: dict[str, Any]) -> web.Response:
    """200 with JSON."""
    return web.Response(body=orjson.dumps(body), content_type="application/json")


def refusal(status: int, name: str, message: str) -> web.StreamResponse:
    """An XRPC error."""
    body = orjson.dumps({"error": name, "message": message})
    return web.Response(body=body, status=status, content_type="application/json")
