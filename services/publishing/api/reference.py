"""The reference of Herald's whole HTTP interface: the OpenAPI document, and the page made from it.

Runs no script and fetches nothing: the page is one file, rendered here, that any browser and any reader can use.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import orjson
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from services.publishing.api.reference_view import view
from shared.web.conditional import Prepared, prepare, serve
from shared.web.description import Answer, Operation, Tag, described
from shared.web.openapi import COMMITTED

REFERENCE = Tag("Reference", "This page, for people and for programs.")
HEADERS = ("ETag", "Last-Modified")
DOCUMENT = Operation(
    "read_openapi",
    "The OpenAPI 3.1 document of every service",
    REFERENCE,
    {200: Answer("The document.", media=("application/json",), headers=HEADERS)},
    conditional=True,
    stored=False,
)
PAGE = Operation(
    "read_reference",
    "The same as a page",
    REFERENCE,
    {200: Answer("The page.", media=("text/html",), headers=HEADERS)},
    conditional=True,
    stored=False,
)

STYLE = Path(__file__).with_name("static") / "reference.css"
_ENVIRONMENT = Environment(
    loader=PackageLoader("services.publishing.api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@cache
def _document() -> Prepared:
    content = orjson.dumps(
        orjson.loads(COMMITTED.read_bytes())
    )  # without the committed file's indent
    return prepare(content, _modified(), "application/json")


@cache
def _page(public_url: str) -> tuple[Prepared, str]:
    """The page and its policy, which allows the one style sheet that is in it."""
    style = STYLE.read_text("utf-8")
    html = _ENVIRONMENT.get_template("reference.html.j2").render(
        style=style,
        public_url=public_url,
        page=view(orjson.loads(COMMITTED.read_bytes()), public_url),
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    )
    return prepare(html.encode(), _modified(), "text/html; charset=utf-8"), policy


def _modified() -> datetime:
    return datetime.fromtimestamp(COMMITTED.stat().st_mtime, UTC)


def routes(public_url: str) -> list[web.AbstractRouteDef]:
    async def document(request: web.Request) -> web.Response:
        return serve(request, await asyncio.to_thread(_document))

    async def page(request: web.Request) -> web.Response:
        prepared, policy = await asyncio.to_thread(_page, public_url)
        response = serve(request, prepared)
        response.headers["Content-Security-Policy"] = policy
        return response

    return [
        described(web.get("/api/v1/openapi.json", document), DOCUMENT),
        described(web.get("/api/v1/docs", page), PAGE),
    ]
