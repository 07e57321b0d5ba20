"""Reading requests: JSON into models, paging, ids and preconditions. Each refusal names its field."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from shared.runtime.ids import is_id
from shared.web.problems import Problem, invalid

M = TypeVar("M", bound=BaseModel)

MAX_LIMIT = 100
MAX_DEPTH = 32
MAX_VALUES = 5000
"""Values in one document, all levels together; the largest that any route takes has a few hundred."""
BODY_SECONDS = 60.0
"""For a body to arrive; who takes longer holds a connection for nothing."""


async def read_json(request: web.Request, model: type[M], *, max_values: int = MAX_VALUES) -> M:
    """The body as `model`, of at most `max_values` values.

    415 for another media type, 408 when it does not come, 400 for broken JSON, 422 for wrong fields.
    """
    if request.content_type != "application/json":
        raise Problem(415, "The body must be application/json", field="Content-Type")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.read()
    except TimeoutError as error:
        raise Problem(408, "The body did not arrive in time", field="body") from error
    document = object_in(raw, max_values=max_values)
    try:
        read = model.model_validate(document)
    except ValidationError as error:
        raise invalid(error) from error
    _refuse_coerced(document, read)
    return read


def object_in(raw: bytes, *, max_values: int = MAX_VALUES) -> dict[str, Any]:
    """The JSON object in these bytes, with nothing in it that could not be stored. Raises `Problem`."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "The body is not JSON", field="body", detail=str(error)) from error
    if not isinstance(document, dict):
        raise Problem(422, "The body must be a JSON object", field="body")
    _refuse_unstorable(document, max_values)
    return document


def _refuse_unstorable(value: Any, left: int, path: str = "", depth: int = 0) -> int:
    """What no service could store or show: NUL, numbers beyond 64 bits, a tower of brackets.

    Returns how many more values there may be; looks at none beyond that.
    """
    left -= 1
    if left < 0:
        raise Problem(422, "The document holds too many values", field="body")
    if depth > MAX_DEPTH:
        raise Problem(422, "Nested too deep", field=path.split(".")[0])
    if isinstance(value, str):
        if "\x00" in value:
            raise Problem(422, "A text must not contain NUL", field=path or "body")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if "\x00" in key:
                raise Problem(422, "A text must not contain NUL", field=path or "body")
            left = _refuse_unstorable(inner, left, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            left = _refuse_unstorable(inner, left, f"{path}.{index}", depth + 1)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise Problem(422, "The number is out of range", field=path or "body")
    return left


def _refuse_coerced(sent: Any, taken: Any, path: str = "") -> None:
    """Pydantic would take 1 for true, "3" for a number and 0 for 1970; nobody who sends that means it."""
    if isinstance(sent, dict):
        for key, inner in sent.items():
            got = taken.get(key) if isinstance(taken, dict) else getattr(taken, key, inner)
            _refuse_coerced(inner, got, f"{path}.{key}" if path else key)
    elif isinstance(sent, list):
        if isinstance(taken, list | tuple) and len(taken) == len(sent):
            for index, (inner, got) in enumerate(zip(sent, taken, strict=True)):
                _refuse_coerced(inner, got, f"{path}.{index}")
    elif isinstance(taken, datetime):
        if not isinstance(sent, str) or sent[4:5] != "-":
            detail = "must be a moment such as 2026-11-23T09:30:00Z"
            raise Problem(422, "The input is not valid", field=path, detail=detail)
    else:
        wanted, given = _kind(taken), _kind(sent)
        if wanted and given and wanted != given:
            detail = f"must be {wanted}, not {given}"
            raise Problem(422, "The input is not valid", field=path, detail=detail)


def _kind(value: Any) -> str | None:
    """What JSON calls it; None for what only a validator can have made."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a text" if isinstance(value, str) else None


def path_id(request: web.Request, name: str = "id") -> str:
    """A UUID from the path; anything else is simply not there."""
    value = request.match_info[name]
    if not is_id(value):
        raise Problem(404, "There is no such id", field=name, detail=f"{name} is not a UUID")
    return value


def query_values(request: web.Request, allowed: set[str]) -> dict[str, str]:
    """The query string, each name once and known."""
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in allowed:
            raise Problem(
                422,
                "Unknown parameter",
                field=name,
                detail=f"allowed: {', '.join(sorted(allowed))}",
            )
        if name in values:
            raise Problem(422, "Given twice", field=name)
        if "\x00" in value or len(value) > 1000:
            raise Problem(422, "Not a usable value", field=name)
        values[name] = value
    return values


def paging(values: dict[str, str]) -> tuple[int, str | None]:
    """`limit` (1 to 100, 20 unless told) and the opaque `cursor` of an earlier answer."""
    raw = values.get("limit", "20")
    plain = raw.isascii() and raw.isdigit() and len(raw) <= 9
    if not (plain and 1 <= int(raw) <= MAX_LIMIT):
        raise Problem(422, f"limit must be a whole number from 1 to {MAX_LIMIT}", field="limit")
    cursor = values.get("cursor")
    if cursor is not None and not 1 <= len(cursor) <= 300:
        raise Problem(422, "cursor is not one of ours", field="cursor")
    return int(raw), cursor


def whole_number(text: str, field: str, status: int = 422) -> int:
    """A revision or a sequence number, up to 15 digits. Raises `Problem` naming `field`."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Problem(status, f"{field} is not one of ours", field=field)
    return int(text)


def etag_of(revision: int) -> str:
    return f'"{revision}"'


def require_match(request: web.Request) -> int | None:
    """The revision that `If-Match` names; None for `*`. 428 without the header (RFC 6585)."""
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise Problem(
            428,
            "Say which revision you saw",
            field="If-Match",
            detail="send If-Match with the ETag of what you read, or *",
        )
    if header == "*":
        return None
    bare = header.removeprefix("W/").strip('"')
    if not (bare.isascii() and bare.isdigit() and len(bare) < 16):
        raise Problem(412, "If-Match is not an ETag of ours", field="If-Match")
    return int(bare)


def json_response(
    value: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """JSON bytes; models are dumped in JSON mode."""
    if isinstance(value, BaseModel):
        body = value.model_dump_json(exclude_none=True).encode()
    else:
        body = orjson.dumps(value, default=_dump)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _dump(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    raise TypeError(type(value).__name__)


def client_address(request: web.Request, trusted_proxies: int) -> str:
    """Who is really calling: what the outermost of our own proxies saw, never what the caller claims.

    Each proxy appends the address it was called from, so of `trusted_proxies` entries counted from
    the end the first is the caller; anything before it was written by the caller.
    """
    # Some proxies add a line of their own to the caller's; together they are one list (RFC 9110, 5.3).
    lines = ",".join(request.headers.getall("X-Forwarded-For", ()))
    forwarded = [part.strip() for part in lines.split(",")]
    if trusted_proxies and len(forwarded) >= trusted_proxies and forwarded[-trusted_proxies]:
        return forwarded[-trusted_proxies]
    return request.remote or ""
