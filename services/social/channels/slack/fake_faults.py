"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from services.social.channels.base import FAULTS
from services.social.channels.slack.fake_rules import Refusal

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "edit:", "delete:", "read:")
"""Prefixes of a fault's name; the creating call has none."""
OWN = ("fatal_after", "not_in_channel", "archived", "request_timeout")
"""Further faults: done, but answered with `fatal_error`; the bot was removed; the channel was archived;
the network read only half of the request."""
RETRY_SECONDS = 2


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
            return web.Response(status=503, text="upstream connect error")
        if self._take(f"{call}rate_limited"):
            return limited(RETRY_SECONDS)
        for fault, error in (
            ("auth_dead", "token_revoked"),
            ("refuse", "invalid_blocks"),
            ("not_in_channel", "not_in_channel"),
            ("archived", "is_archived"),
            ("request_timeout", "request_timeout"),
        ):
            if self._take(f"{call}{fault}"):
                raise Refusal(error)
        return None

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done. Raises `Refusal`."""
        if self._take(f"{call}error_after"):
            return web.Response(status=500, text="Internal Server Error")
        if self._take(f"{call}fatal_after"):
            raise Refusal("fatal_error")
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


def limited(seconds: int) -> web.Response:
    """429 in the network's dialect."""
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})
