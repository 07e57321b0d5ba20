"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from services.social.channels.base import FAULTS
from services.social.channels.mastodon.fake_rules import Window

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "edit:", "delete:", "media:")
"""Prefixes of a fault's name; the creating call has none."""


def said(status: int, words: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error in the server's form."""
    return web.json_response({"error": words}, status=status, headers=headers)


class Faults:
    """`left` counts, per name, how many more requests a fault will hit."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.left = {f"{call}{name}": 0 for call in CALLS for name in FAULTS}
        self._clock = clock

    def _take(self, fault: str) -> bool:
        if self.left.get(fault, 0) <= 0:
            return False
        self.left[fault] -= 1
        return True

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self._take(f"{call}error_before"):
            return said(503, "Remote data could not be fetched")
        if self._take(f"{call}rate_limited"):
            window = Window(0, 300)
            return said(429, "Too many requests", window.headers(self._clock()))
        if self._take(f"{call}auth_dead"):
            return said(401, "The access token was revoked")
        if self._take(f"{call}refuse"):
            return said(422, "Validation failed: refused by the sandbox")
        return None

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done."""
        if self._take(f"{call}error_after"):
            return said(500, "We're sorry, but something went wrong on our end.")
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
