"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiohttp import web

from services.social.channels.base import FAULTS
from services.social.channels.instagram.fake_rules import business_usage

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "edit:", "delete:", "media:")
"""Prefixes of a fault's name; the creating call has none."""
INJECTED_PAUSE_MINUTES = 1


def said(
    status: int,
    code: int,
    words: str,
    *,
    subcode: int = 0,
    transient: bool = False,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """An error in the network's form."""
    kind = "OAuthException" if status < 500 else "FacebookApiException"
    error: dict[str, Any] = {"message": words, "type": kind, "code": code, "fbtrace_id": "A0"}
    if subcode:
        error["error_subcode"] = subcode
    if transient:
        error["is_transient"] = True
    return web.json_response({"error": error}, status=status, headers=headers)


class Faults:
    """`left` counts, per name, how many more requests a fault will hit."""

    def __init__(self, user_id: str) -> None:
        self.left = {f"{call}{name}": 0 for call in CALLS for name in FAULTS}
        self._user_id = user_id

    def _take(self, fault: str) -> bool:
        if self.left.get(fault, 0) <= 0:
            return False
        self.left[fault] -= 1
        return True

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self._take(f"{call}error_before"):
            return said(503, 2, "Service temporarily unavailable", transient=True)
        if self._take(f"{call}rate_limited"):
            usage = business_usage(self._user_id, INJECTED_PAUSE_MINUTES)
            headers = {"X-Business-Use-Case-Usage": usage}
            words = "(#80002) Too many calls to this Instagram account"
            return said(400, 80_002, words, headers=headers)
        if self._take(f"{call}auth_dead"):
            words = "Error validating access token: the user has changed the password"
            return said(400, 190, words, subcode=460)
        if self._take(f"{call}refuse"):
            return said(400, 100, "(#100) Refused by the sandbox")
        return None

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done."""
        if self._take(f"{call}error_after"):
            return said(500, 1, "An unknown error occurred")
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
