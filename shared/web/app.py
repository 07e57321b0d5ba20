"""The aiohttp application every service is served by: body caps, traces, metrics, headers, problems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from prometheus_client import Counter, Histogram

from shared.runtime.clock import monotonic
from shared.runtime.tracing import serving
from shared.web.identity import IDENTITIES, Identities
from shared.web.problems import problems

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY_BYTES = 1024 * 1024
"""Of every request but uploads, which read their own cap, and routes that are `taking` more."""
MAX_UPLOAD_BYTES = 20 * 1024 * 1024

REQUESTS = Counter("herald_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("herald_http_request_seconds", "Time to answer", ["route"])

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""The policy for answers that are no pages; pages set their own."""


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request a trace and count it."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "none"
    began = monotonic()
    with serving(f"{request.method} {route}", request.headers.get("traceparent")):
        try:
            response = await handler(request)
        except web.HTTPException as redirect:  # everything else has become a problem document
            _finish(request.method, route, began, redirect)
            raise
    _finish(request.method, route, began, response)
    return response


def _finish(method: str, route: str, began: float, response: web.StreamResponse) -> None:
    REQUESTS.labels(method, route, response.status).inc()
    SECONDS.labels(route).observe(monotonic() - began)


async def secured(_: web.Request, response: web.StreamResponse) -> None:
    """Add the headers every answer carries, streams too, before its first byte leaves."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "Herald"  # not the versions behind it


@web.middleware
async def capped(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a large body by its length, or while it is read, save where an upload is expected."""
    if request.content_type != "multipart/form-data":
        most = getattr(request.match_info.handler, "max_body_bytes", MAX_BODY_BYTES)
        length = request.content_length
        if length is not None and length > most:
            raise web.HTTPRequestEntityTooLarge(most, length)
        if request.can_read_body:
            # Of what it unpacks to as well: a short body may be a long one compressed.
            request = request.clone(client_max_size=most)
    return await handler(request)


def taking(max_body_bytes: int, handler: Handler) -> Handler:
    """The handler, for bodies of another size than `MAX_BODY_BYTES`."""
    handler.max_body_bytes = max_body_bytes  # type: ignore[attr-defined]
    return handler


def make_app(routes: Iterable[web.AbstractRouteDef], identities: Identities) -> web.Application:
    """An application over these routes; several services may share one (the embedded stack)."""
    app = web.Application(
        middlewares=[observed, problems, capped], client_max_size=MAX_UPLOAD_BYTES
    )
    app.on_response_prepare.append(secured)
    app[IDENTITIES] = identities
    app.add_routes(routes)
    return app
