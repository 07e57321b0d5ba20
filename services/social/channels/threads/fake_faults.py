"""Failures on demand, in the dialect of Meta's APIs: before the act nothing happens, after it everything has."""

from __future__ import annotations

from aiohttp import web

from services.social.channels.faults import FaultSwitches

CALLS = ("", "container:", "delete:", "counts:")
"""What faults can hit; see `channels.faults`."""
OWN = {
    "not_propagated": "is refused because what was taken in is not known everywhere yet",
    "blocked_but_done": "happens, and is answered as a blocked action",
    "lag": "is missing from the list of posts for one reading",
}
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


class Faults(FaultSwitches):
    """In the network's own dialect."""

    def __init__(self) -> None:
        super().__init__(CALLS, OWN)

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

    def broken(self) -> web.StreamResponse:
        return said(500, 1, "An unknown error has occurred.")

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        if call == "" and self.take("blocked_but_done"):
            return said(400, -1, "Action is blocked", subcode=2_207_051)
        return await super().after(request, call, answer)
