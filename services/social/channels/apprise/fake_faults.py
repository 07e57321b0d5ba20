"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

from aiohttp import web

from services.social.channels.apprise.fake_rules import Refusal
from services.social.channels.faults import FaultSwitches

CALLS = ("",)
"""What faults can hit; see `channels.faults`. Nothing is edited, deleted or read."""
OWN = {
    "gone": "is answered as by a server that has nothing at the address any more",
    "moved": "is answered with a redirection, which is not followed",
    "not_taken": "happens, and is answered with a success that the plugin does not know",
}
RETRY_SECONDS = 2


class Faults(FaultSwitches):
    """In the words of Gotify."""

    def __init__(self) -> None:
        super().__init__(CALLS, OWN)

    def before(self) -> web.Response | None:
        """Faults that act before anything was done. Raises `Refusal`."""
        if self.take("error_before"):
            return web.Response(status=503, text="upstream connect error")
        if self.take("rate_limited"):
            raise Refusal(429, "slow down", RETRY_SECONDS)
        if self.take("auth_dead"):
            raise Refusal(401, "you need to provide a valid access token")
        if self.take("refuse"):
            raise Refusal(400, "Field 'message' is required")
        if self.take("gone"):
            return web.Response(status=404, text="404 page not found")
        if self.take("moved"):
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        return None

    def broken(self) -> web.StreamResponse:
        return Refusal(500, "database is locked").answer()
