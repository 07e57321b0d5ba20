"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from services.social.channels.base import FAULTS
from services.social.channels.telegram.fake_rules import Refusal, bad, too_many

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
CALLS = ("", "edit:", "delete:")
"""Prefixes of a fault's name; the creating call has none."""
OWN = ("kicked", "no_rights", "moved")
"""Further faults: the bot was thrown out, lost its rights, or the group became a supergroup."""
MOVED_TO = -1009876543210
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

    def before(self, call: str) -> None:
        """Faults that act before anything was done. Raises `Refusal`."""
        if self._take(f"{call}error_before"):
            raise Refusal(502, "Bad Gateway")
        if self._take(f"{call}rate_limited"):
            raise too_many(RETRY_SECONDS)
        if self._take(f"{call}auth_dead"):
            raise Refusal(401, "Unauthorized")
        if self._take(f"{call}refuse"):
            raise bad("refused by the sandbox")
        if self._take(f"{call}kicked"):
            raise Refusal(403, "Forbidden: bot was kicked from the channel chat")
        if self._take(f"{call}no_rights"):
            raise bad("need administrator rights in the channel chat")
        if self._take(f"{call}moved"):
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, migrate_to_chat_id=MOVED_TO)

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done. Raises `Refusal`."""
        if self._take(f"{call}error_after"):
            raise Refusal(500, "Internal Server Error")
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
