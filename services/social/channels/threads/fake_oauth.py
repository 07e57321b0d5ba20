"""The stand-in's authorisation server: a short token, which becomes one of 60 days, which renews itself.

Must never renew a token that is younger than a day or has run out, nor take the app's secret for granted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from services.social.channels.fake_consent import (
    CLIENT_SECRET,
    ConsentPage,
    Granted,
    form_of,
    shows_the_app,
)
from services.social.channels.threads.fake_faults import said

SCOPES = frozenset(
    {
        "threads_basic",
        "threads_content_publish",
        "threads_delete",
        "threads_manage_insights",
        "threads_manage_replies",
        "threads_read_replies",
    }
)
CODE_SECONDS, SHORT_SECONDS, LONG_SECONDS = 3600, 3600, 5_183_944
YOUNGEST = timedelta(hours=24)
DENIAL = {
    "error": "access_denied",
    "error_code": "200",
    "error_description": "The user denied your request.",
    "error_reason": "user_denied",
}


class Authorisations(ConsentPage):
    """`exchanges` and `refreshes` count the calls that a token came of."""

    def __init__(self, clock: Callable[[], datetime], user_id: str) -> None:
        super().__init__(clock, scopes=SCOPES, separator=",", seconds=CODE_SECONDS, denial=DENIAL)
        self._user_id = user_id
        self._short, self._long = Granted(clock), Granted(clock)
        self.exchanges = 0
        self.refreshes = 0

    def opens(self, token: str) -> bool:
        return self._short.opens(token) or self._long.opens(token)

    def revoke(self) -> None:
        """The person takes the app's permission away."""
        self._short.end()
        self._long.end()

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/oauth/authorize", self.show),
            web.post("/oauth/access_token", self._exchange),
            web.get("/access_token", self._lengthen),
            web.get("/refresh_access_token", self._refresh),
        ]

    async def _exchange(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        if not shows_the_app(form):
            return _refusal(101, "Error validating client secret.")
        if form.get("grant_type") != "authorization_code" or not self.takes(form):
            return _refusal(400, "Matching code was not found or was already used.")
        self.exchanges += 1
        token = self._short.give(SHORT_SECONDS)
        return web.json_response({"access_token": token, "user_id": int(self._user_id)})

    async def _lengthen(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("client_secret") != CLIENT_SECRET:
            return said(400, 1, "Error validating client secret.")
        if query.get("grant_type") != "th_exchange_token":
            return said(400, 100, "Unsupported grant type")
        if not self._short.opens(query.get("access_token", "")):
            return said(400, 190, "Invalid OAuth access token - Cannot parse access token")
        return self._long_lived()

    async def _refresh(self, request: web.Request) -> web.Response:
        token = request.query.get("access_token", "")
        if request.query.get("grant_type") != "th_refresh_token":
            return said(400, 100, "Unsupported grant type")
        if not self._long.opens(token):
            return said(400, 190, "Error validating access token: Session has expired")
        if self._long.age(token) < YOUNGEST:
            return said(400, 100, "The access token is too young to be refreshed")
        self.refreshes += 1
        return self._long_lived()

    def _long_lived(self) -> web.Response:
        token = self._long.give(LONG_SECONDS)
        told = {"access_token": token, "token_type": "bearer", "expires_in": LONG_SECONDS}
        return web.json_response(told)


def _refusal(code: int, words: str) -> web.Response:
    """Where a code is exchanged, the network spells errors in a way of its own."""
    body = {"error_type": "OAuthException", "code": code, "error_message": words}
    return web.json_response(body, status=400)
