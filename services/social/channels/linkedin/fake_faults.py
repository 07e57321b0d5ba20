"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

from aiohttp import web

from services.social.channels.faults import FaultSwitches

CALLS = ("", "edit:", "delete:", "media:", "counts:")
"""What faults can hit; see `channels.faults`."""
THROTTLED = "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource"


def said(status: int, code: str, words: str) -> web.Response:
    """An error in the network's form."""
    body = {"status": status, "code": code, "message": words}
    return web.json_response(body, status=status)


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self) -> None:
        super().__init__(CALLS)

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self.take(f"{call}error_before"):
            return said(503, "SERVICE_UNAVAILABLE", "The service is unavailable")
        if self.take(f"{call}rate_limited"):
            return said(429, "TOO_MANY_REQUESTS", f"{THROTTLED} is reached.")
        if self.take(f"{call}auth_dead"):
            return said(401, "REVOKED_ACCESS_TOKEN", "The token has been revoked by the user")
        if self.take(f"{call}refuse"):
            return said(400, "ILLEGAL_ARGUMENT", "Refused by the sandbox")
        return None

    def broken(self) -> web.StreamResponse:
        return said(500, "INTERNAL_SERVER_ERROR", "Internal Server Error")
