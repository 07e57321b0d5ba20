"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from services.social.channels.base import FAULTS

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "edit:", "delete:", "media:")
"""Prefixes of a fault's name; the creating call has none."""
THROTTLED = "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource"


def said(status: int, code: str, words: str) -> web.Response:
    """An error in the network's form."""
    body = {"status": status, "code": code, "message": words}
    return web.json_response(body, status=status)


class Faults:
    """`left` counts, per name, how many more requests a fault will hit."""

    def __init__(self) -> None:
        self.left = {f"{call}{name}": 0 for call in CALLS for name in FAULTS}

    def _take(self, fault: str) -> bool:
        if self.left.get(fault, 0) <= 0:
            return False
        self.left[fault] -= 1
        return True

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self._take(f"{call}error_before"):
            return said(503, "SERVICE_UNAVAILABLE", "The service is unavailable")
        if self._take(f"{call}rate_limited"):
            return said(429, "TOO_MANY_REQUESTS", f"{THROTTLED} is reached.")
        if self._take(f"{call}auth_dead"):
            return said(401, "REVOKED_ACCESS_TOKEN", "The token has been revoked by the user")
        if self._take(f"{call}refuse"):
            return said(400, "ILLEGAL_ARGUMENT", "Refused by the sandbox")
        return None

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done."""
        if self._take(f"{call}error_after"):
            return said(500, "INTERNAL_SERVER_ERROR", "Internal Server Error")
        if self._take(f"{call}disconnect_after"):
            if request.transport is not None:
                request.transport.abort()
            await asyncio.sleep(0)
        elif self._take(f"{call}hang_after"):
            # The transport goes when the client does; nobody waits for us longer than that.
            closing = request.app[CLOSING]
            while request.transport is not None and not closing.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(closing.wait(), 0.02)
        return answer
