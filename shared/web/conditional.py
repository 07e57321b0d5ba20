"""Prepared bytes with strong ETags: 304 where nothing changed, gzip where asked. Never renders."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import web


@dataclass(frozen=True)
class Prepared:
    """One document as it will be served: both encodings made once, when it changed."""

    body: bytes
    gzipped: bytes
    etag: str
    """Unquoted hash of `body`; the gzip form has its own."""
    modified: datetime
    content_type: str
    cache_control: str = "public, max-age=0, must-revalidate"
    status: int = 200


def prepare(
    body: bytes,
    modified: datetime,
    content_type: str,
    cache_control: str = "public, max-age=0, must-revalidate",
    status: int = 200,
) -> Prepared:
    """Compress and hash; `modified` is when the bytes last changed."""
    return Prepared(
        body,
        gzip.compress(body, compresslevel=6, mtime=0),
        hashlib.sha256(body).hexdigest()[:32],
        modified.astimezone(UTC),
        content_type,
        cache_control,
        status,
    )


def serve(request: web.Request, document: Prepared) -> web.Response:
    """Answer GET or HEAD. `If-None-Match` wins over `If-Modified-Since` (RFC 9110, 13.2.2)."""
    zipped = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
    etag = f'"{document.etag}-gz"' if zipped else f'"{document.etag}"'
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(document.modified.astimezone(UTC), usegmt=True),
        "Cache-Control": document.cache_control,
        "Vary": "Accept-Encoding",
    }
    if document.status == 200 and _unchanged(request, document):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = document.content_type
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        status=document.status,
        body=document.gzipped if zipped else document.body,
        headers=headers,
    )


def holds(request: web.Request, etag: str) -> bool:
    """Whether the caller holds what `etag` names, of a document with one encoding (RFC 9110, 13.1.2)."""
    held = request.headers.get("If-None-Match", "")
    return held.strip() == "*" or etag in {
        tag.strip().removeprefix("W/").strip('"') for tag in held.split(",")
    }


def _accepts_gzip(header: str) -> bool:
    """Whether gzip is wanted; its own weight counts before that of `*` (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        coding, _, parameters = part.replace(" ", "").replace("\t", "").partition(";")
        try:
            weights[coding] = float(parameters.removeprefix("q=") or 1)
        except ValueError:
            weights[coding] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _unchanged(request: web.Request, document: Prepared) -> bool:
    wanted = request.headers.get("If-None-Match")
    if wanted is not None:
        tags = {
            tag.strip().removeprefix("W/").strip('"').removesuffix("-gz")
            for tag in wanted.split(",")
        }
        return "*" in tags or document.etag in tags
    since = request.headers.get("If-Modified-Since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, TypeError, OverflowError):
        return False
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return document.modified.replace(microsecond=0) <= moment
