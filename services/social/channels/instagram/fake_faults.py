"""Failures on demand: before the act nothing happens, after it everything has. Never both at once."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.social.channels.faults import FaultSwitches
from services.social.channels.instagram.fake_rules import business_usage

CALLS = ("", "edit:", "delete:", "media:", "counts:")
"""What faults can hit; see `channels.faults`."""
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


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self, user_id: str) -> None:
        super().__init__(CALLS)
        self._user_id = user_id

    def before(self, call: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self.take(f"{call}error_before"):
            return said(503, 2, "Service temporarily unavailable", transient=True)
        if self.take(f"{call}rate_limited"):
            usage = business_usage(self._user_id, INJECTED_PAUSE_MINUTES)
            headers = {"X-Business-Use-Case-Usage": usage}
            words = "(#80002) Too many calls to this Instagram account"
            return said(400, 80_002, words, headers=headers)
        if self.take(f"{call}auth_dead"):
            words = "Error validating access token: the user has changed the password"
            return said(400, 190, words, subcode=460)
        if self.take(f"{call}refuse"):
            return said(400, 100, "(#100) Refused by the sandbox")
        return None

    def broken(self) -> web.StreamResponse:
        return said(500, 1, "An unknown error occurred")
