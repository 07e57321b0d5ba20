"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from services.social.channels.base import FAULTS
from services.social.channels.discord.fake_rules import Refusal, invalid

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "edit:", "delete:")
"""Prefixes of a fault's name; the creating call has none."""
OWN = ("wrong_token", "proxy_limited")
"""Further faults: the token was changed, and the proxy in front of the network throttles without JSON."""
RETRY_SECONDS = 1.337


class Faults:
    """`left` counts, per name, how many more requests a fault will hit."""

    def __init__(self) -> None:
        self.left = {f"{call}{name}": 0 for call in CALLS for name in (*FAULTS, *OWN)}

    def _take(self, fault: str) -> bool:
        if self.left.get(fault, 0) <= 0:
            return False
        self.left[fault] -= 1
        return True

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done. Raises `Refusal`."""
        if self._take(f"{call}error_before"):
            return web.Response(status=502, text="error code: 502")
        if self._take(f"{call}proxy_limited"):
            return web.Response(status=429, text="error code: 1015", headers={"Retry-After": "7"})
        if self._take(f"{call}rate_limited"):
            return limited(RETRY_SECONDS)
        if self._take(f"{call}auth_dead"):
            raise Refusal(404, 10015, "Unknown Webhook")
        if self._take(f"{call}wrong_token"):
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if self._take(f"{call}refuse"):
            raise invalid(content="Refused by the sandbox.")
        return None

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done."""
        if self._take(f"{call}error_after"):
            body = {"message": "500: Internal Server Error", "code": 0}
            return web.json_response(body, status=500)
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


def limited(seconds: float) -> web.Response:
    """429 in the network's dialect: whole seconds in the header, a fraction in the body."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
    headers = {"Retry-After": str(int(seconds) + 1), "X-RateLimit-Scope": "user"}
    return web.json_response(body, status=429, headers=headers)
