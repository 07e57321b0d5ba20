"""Failures on demand, in X's own dialect: before the act nothing happens, after it everything has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from services.social.channels.faults import FaultSwitches

CALLS = ("", "delete:", "media:", "counts:")
"""What faults can hit; see `channels.faults`."""
OWN = {
    "usage_capped": "is refused because the month's posts are used up",
    "lag": "is missing from the timeline, or from its post's history, for one reading",
}
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


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(CALLS, OWN)
        self._clock = clock

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

    def broken(self) -> web.StreamResponse:
        return problem(500, "Something went wrong.")
