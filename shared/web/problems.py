"""Errors as RFC 9457 problem documents; each names the field that is wrong. Never leaks a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from aiohttp import web
from pydantic import ValidationError

from shared.storage.errors import DocumentTooLarge, StorageUnavailable

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


MAX_ERRORS, MAX_FIELD = 50, 200
"""Fields a problem lists and characters of each name: an answer never grows with the nonsense sent."""


class Problem(Exception):
    """Raise it anywhere below a request; it becomes the answer.

    `field` is the name of the wrong input: a JSON path with dots, a query parameter, a path
    parameter or a header.
    """

    def __init__(
        self,
        status: int,
        title: str,
        *,
        field: str | None = None,
        detail: str | None = None,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.headers = headers or {}
        self.document: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail or title,
            **more,
        }
        if errors is None and field is not None:
            errors = [{"field": _told(field), "message": detail or title}]
        if errors:
            self.document["field"] = errors[0]["field"]
            self.document["errors"] = errors

    def response(self) -> web.Response:
        return web.Response(
            status=self.status,
            body=orjson.dumps(self.document),
            content_type="application/problem+json",
            headers=self.headers,
        )


def invalid(error: ValidationError, prefix: str = "", root: str = "body") -> Problem:
    """The problem for input that a model refused; its first refused fields are listed."""
    errors = []
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for item in found[:MAX_ERRORS]:
        path = ".".join(str(part) for part in item["loc"])
        field = f"{prefix}{path}" if path else (prefix.rstrip(".") or root)
        message = item["msg"].removeprefix("Value error, ")
        errors.append({"field": _told(field), "message": message})
    return Problem(422, "The input is not valid", errors=errors, detail=errors[0]["message"])


def _told(field: str) -> str:
    """The name fit for an answer: a caller may send bytes as a name that are no text."""
    return field[:MAX_FIELD].encode(errors="replace").decode()


def not_found(what: str, field: str = "id") -> Problem:
    return Problem(404, f"There is no such {what}", field=field)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn everything that goes wrong into a problem document."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except ValidationError as error:
        return invalid(error).response()
    except web.HTTPRequestEntityTooLarge as error:
        return Problem(413, "The body is too large", field="body", detail=error.text).response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        field = {404: "path", 405: "method"}.get(error.status, "request")
        return Problem(error.status, error.reason, field=field, headers=headers).response()
    except DocumentTooLarge:
        return Problem(413, "The document is too large", field="body").response()
    except StorageUnavailable as error:
        log.warning("database away", error=str(error), path=request.path)
        return Problem(
            503, "The database is away; try again in a moment", headers={"Retry-After": "2"}
        ).response()
    except web.RequestPayloadError as error:
        text = "the body ends too early, or is not encoded as its headers say"
        log.debug("unreadable body", error=repr(error), path=request.path)
        return Problem(400, "The body cannot be read", field="body", detail=text).response()
    except (ConnectionResetError, ConnectionAbortedError):
        raise
    except Exception:
        log.exception("unhandled", method=request.method, path=request.path)
        return Problem(500, "Something went wrong on our side; it has been logged").response()
