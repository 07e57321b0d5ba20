"""Failures on demand, in X's own dialect: before the act nothing happens, after it everything has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from services.social.channels.base import FAULTS

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "delete:", "media:")
"""Prefixes of a fault's name; the creating call, which edits too, has none."""
OWN_FAULTS = ("usage_capped", "lag")
"""`usage_capped` hits a post; `lag` makes the timeline and a post's history answer without the newest post."""
PROBLEMS = "https://api.x.com/2/problems/"
TITLES = {
    400: "Invalid Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found Error",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def problem(status: int, detail: str, kind: str = "about:blank", **more: Any) -> web.Response:
    """An error as the network writes it: RFC 7807."""
    body = {"title": TITLES[status], "detail": detail, "type": kind, "status": status, **more}
    return web.json_response(body, status=status, content_type="application/problem+json")


def invalid(message: str) -> web.Response:
    """A request that the network cannot take; it tells which part."""
    errors = [{"message": message, "parameters": {}}]
    detail = "One or more parameters to your request was invalid."
    return problem(400, detail, f"{PROBLEMS}invalid-request", errors=errors)


class Faults:
    """`left` counts, per name, how many more requests a fault will hit."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        names = [f"{call}{name}" for call in CALLS for name in FAULTS]
        self.left = dict.fromkeys([*names, *OWN_FAULTS], 0)
        self._clock = clock

    def take(self, fault: str) -> bool:
        if self.left.get(fault, 0) <= 0:
            return False
        self.left[fault] -= 1
        return True

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self.take(f"{call}error_before"):
            return problem(503, "Service Unavailable")
        if self.take(f"{call}rate_limited"):
            answer = problem(429, "Too Many Requests")
            resets = int(self._clock().timestamp()) + 60
            for name, value in (("limit", 100), ("remaining", 0), ("reset", resets)):
                answer.headers[f"x-rate-limit-{name}"] = str(value)
            return answer
        if self.take(f"{call}auth_dead"):
            return problem(401, "Unauthorized")
        if self.take(f"{call}refuse"):
            return problem(403, "You are not permitted to perform this action.")
        if call == "" and self.take("usage_capped"):
            detail = "Usage cap exceeded: Monthly product cap"
            return problem(429, detail, f"{PROBLEMS}usage-capped", period="Monthly")
        return None

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done."""
        if self.take(f"{call}error_after"):
            return problem(500, "Something went wrong.")
        if self.take(f"{call}disconnect_after"):
            if request.transport is not None:
                request.transport.abort()
            await asyncio.sleep(0)
        elif self.take(f"{call}hang_after"):
            # The transport goes when the client does; nobody waits for us longer than that.
            closing = request.app[CLOSING]
            while request.transport is not None and not closing.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(closing.wait(), 0.02)
        return answer
