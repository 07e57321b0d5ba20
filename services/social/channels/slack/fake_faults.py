"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

from aiohttp import web

from services.social.channels.faults import FaultSwitches
from services.social.channels.slack.fake_rules import Refusal

CALLS = ("", "edit:", "delete:", "read:", "counts:")
"""What faults can hit; see `channels.faults`."""
OWN = {
    "fatal_after": "happens, and is answered with `fatal_error`",
    "not_in_channel": "is refused because the bot was removed from the channel",
    "archived": "is refused because the channel was archived",
    "request_timeout": "is refused because the network read only half of the request",
}
RETRY_SECONDS = 2


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self) -> None:
        super().__init__(CALLS, OWN, CALLS)

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done. Raises `Refusal`."""
        if self.take(f"{call}error_before"):
            return web.Response(status=503, text="upstream connect error")
        if self.take(f"{call}rate_limited"):
            return limited(RETRY_SECONDS)
        for fault, error in (
            ("auth_dead", "token_revoked"),
            ("refuse", "invalid_blocks"),
            ("not_in_channel", "not_in_channel"),
            ("archived", "is_archived"),
            ("request_timeout", "request_timeout"),
        ):
            if self.take(f"{call}{fault}"):
                raise Refusal(error)
        return None

    def broken(self) -> web.StreamResponse:
        return web.Response(status=500, text="Internal Server Error")

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Raises `Refusal`."""
        if self.take(f"{call}fatal_after"):
            raise Refusal("fatal_error")
        return await super().after(request, call, answer)


def limited(seconds: int) -> web.Response:
    """429 in the network's dialect."""
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})
