"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from services.social.channels.faults import FaultSwitches
from services.social.channels.mastodon.fake_rules import Window

CALLS = ("", "edit:", "delete:", "media:", "counts:")
"""What faults can hit; see `channels.faults`."""


def said(status: int, words: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error in the server's form."""
    return web.json_response({"error": words}, status=status, headers=headers)


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self, clock: Callable[[], datetime], seconds: int) -> None:
        super().__init__(CALLS)
        self._clock = clock
        self._seconds = seconds

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self.take(f"{call}error_before"):
            return said(503, "Remote data could not be fetched")
        if self.take(f"{call}rate_limited"):
            window = Window(0, self._seconds)
            return said(429, "Too many requests", window.headers(self._clock()))
        if self.take(f"{call}auth_dead"):
            return said(401, "The access token was revoked")
        if self.take(f"{call}refuse"):
            return said(422, "Validation failed: refused by the sandbox")
        return None

    def broken(self) -> web.StreamResponse:
        return said(500, "We're sorry, but something went wrong on our end.")
