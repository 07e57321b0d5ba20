"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

from aiohttp import web

from services.social.channels.discord.fake_rules import Refusal, invalid
from services.social.channels.faults import FaultSwitches

CALLS = ("", "edit:", "delete:")
"""What faults can hit; see `channels.faults`."""
OWN = {
    "wrong_token": "is refused because the webhook's token was changed",
    "proxy_limited": "is refused as too many by the proxy in front of the network, without JSON",
}
RETRY_SECONDS = 1.337


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self) -> None:
        super().__init__(CALLS, OWN, CALLS)

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done. Raises `Refusal`."""
        if self.take(f"{call}error_before"):
            return web.Response(status=502, text="error code: 502")
        if self.take(f"{call}proxy_limited"):
            return web.Response(status=429, text="error code: 1015", headers={"Retry-After": "7"})
        if self.take(f"{call}rate_limited"):
            return limited(RETRY_SECONDS)
        if self.take(f"{call}auth_dead"):
            raise Refusal(404, 10015, "Unknown Webhook")
        if self.take(f"{call}wrong_token"):
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if self.take(f"{call}refuse"):
            raise invalid(content="Refused by the sandbox.")
        return None

    def broken(self) -> web.StreamResponse:
        body = {"message": "500: Internal Server Error", "code": 0}
        return web.json_response(body, status=500)


def limited(seconds: float) -> web.Response:
    """429 in the network's dialect: whole seconds in the header, a fraction in the body."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
    headers = {"Retry-After": str(int(seconds) + 1), "X-RateLimit-Scope": "user"}
    return web.json_response(body, status=429, headers=headers)
