"""Failures on demand, in the dialect of Meta's APIs: before the act nothing happens, after it everything has."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from services.social.channels.base import FAULTS

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "container:", "delete:")
"""Prefixes of a fault's name; publishing, which makes what readers see, has none."""
OWN_FAULTS = ("not_propagated", "blocked_but_done", "lag")
"""`not_propagated` and `blocked_but_done` hit publishing; `lag` makes a list miss its newest post."""
BUSY = '{"call_count":100,"total_cputime":20,"total_time":30,"estimated_time_to_regain_access":1}'


def said(status: int, code: int, words: str, *, subcode: int = 0) -> web.Response:
    """An error in the network's form."""
    error = {
        "message": words,
        "type": "OAuthException" if code in {10, 102, 190} else "THApiException",
        "code": code,
        "is_transient": code in {1, 2},
        "fbtrace_id": "sandbox",
    }
    if subcode:
        error["error_subcode"] = subcode
    return web.json_response({"error": error}, status=status)


class Faults:
    """`left` counts, per name, how many more requests a fault will hit."""

    def __init__(self) -> None:
        names = [f"{call}{name}" for call in CALLS for name in FAULTS]
        self.left = dict.fromkeys([*names, *OWN_FAULTS], 0)

    def take(self, fault: str) -> bool:
        if self.left.get(fault, 0) <= 0:
            return False
        self.left[fault] -= 1
        return True

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self.take(f"{call}error_before"):
            return said(500, 2, "An unexpected error has occurred. Please retry later.")
        if self.take(f"{call}rate_limited"):
            # As a 400, as the network does.
            answer = said(400, 4, "Application request limit reached")
            answer.headers["X-App-Usage"] = BUSY
            return answer
        if self.take(f"{call}auth_dead"):
            return said(401, 190, "Error validating access token: it has been revoked")
        if self.take(f"{call}refuse"):
            return said(400, 100, "Invalid parameter")
        if call == "" and self.take("not_propagated"):
            words = "The requested resource does not exist"
            return said(400, 24, words, subcode=4_279_009)
        return None

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done."""
        if call == "" and self.take("blocked_but_done"):
            return said(400, -1, "Action is blocked", subcode=2_207_051)
        if self.take(f"{call}error_after"):
            return said(500, 1, "An unknown error has occurred.")
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
