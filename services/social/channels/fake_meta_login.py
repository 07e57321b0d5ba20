"""Facebook's login as the stand-ins for Facebook and Instagram share it.

Must never give a Page a lasting token for a person's short-lived one, nor let a Page's token open another Page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from services.social.channels.fake_consent import ConsentPage, Granted, form_of, shows_the_app

API = "/{graph:v[0-9]+\\.[0-9]}"
"""Not called `version`: what is below it checks tokens of its own."""
CODE_SECONDS, SHORT_SECONDS, LONG_SECONDS = 600, 7200, 5_183_944
AT_ONCE = 2
"""Pages in one answer; the network, too, may answer with fewer than it was asked for."""
DENIAL = {
    "error": "access_denied",
    "error_code": "200",
    "error_description": "Permissions error",
    "error_reason": "user_denied",
}


class MetaLogin(ConsentPage):
    """`own` is the account of the stand-in, `also_runs` further ones of the person: number and name.

    `shown` is how a Page of them is listed; one whose person may not post is always among them.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        scopes: frozenset[str],
        own: tuple[str, str],
        shown: Callable[[str, str], Mapping[str, Any]],
    ) -> None:
        super().__init__(clock, scopes=scopes, separator=",", seconds=CODE_SECONDS, denial=DENIAL)
        self._own = own
        self._shown = shown
        self._short, self._long, self._pages = (Granted(clock) for _ in range(3))
        self._opened: dict[str, str] = {}
        self.also_runs: dict[str, str] = {}
        self.exchanges = 0

    def opens(self, token: str) -> bool:
        """Whether it is a token of the stand-in's own account."""
        return self._pages.opens(token) and self._opened[token] == self._own[0]

    def revoke(self) -> None:
        """The person takes the app's permission away, or changes the password."""
        for granted in (self._short, self._long, self._pages):
            granted.end()

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get(f"{API}/dialog/oauth", self.show),
            web.post(f"{API}/oauth/access_token", self._token),
            web.get(f"{API}/me/accounts", self._list),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        if not shows_the_app(form):
            return _refusal(1, "Error validating client secret.")
        if form.get("grant_type") == "fb_exchange_token":
            if not self._short.opens(form.get("fb_exchange_token", "")):
                return _refusal(190, "Invalid OAuth access token.")
            return _told(self._long.give(LONG_SECONDS), LONG_SECONDS)
        if not self.takes(form):
            return _refusal(100, "This authorization code has been used.", subcode=36_009)
        self.exchanges += 1
        return _told(self._short.give(SHORT_SECONDS), SHORT_SECONDS)

    async def _list(self, request: web.Request) -> web.Response:
        scheme, _, person = request.headers.get("Authorization", "").partition(" ")
        short = self._short.opens(person)
        if scheme != "Bearer" or not (short or self._long.opens(person)):
            return _refusal(190, "Invalid OAuth access token - Cannot parse access token")
        every: list[dict[str, Any]] = [{"id": "104729000000099", "name": "Only read by the person"}]
        for number, name in (self._own, *self.also_runs.items()):
            token = self._pages.give(self._short.seconds_left(person) if short else None)
            self._opened[token] = number
            every.append({"access_token": token, **self._shown(number, name)})
        start = int(request.query.get("after", "0"))
        body: dict[str, Any] = {"data": every[start : start + AT_ONCE]}
        if every[start + AT_ONCE :]:
            after = str(start + AT_ONCE)
            body["paging"] = {"cursors": {"after": after}, "next": f"{request.url}&after={after}"}
        return web.json_response(body)


def _told(token: str, seconds: int) -> web.Response:
    told = {"access_token": token, "token_type": "bearer", "expires_in": seconds}
    return web.json_response(told)


def _refusal(code: int, words: str, *, subcode: int = 0) -> web.Response:
    error: dict[str, Any] = {"message": words, "type": "OAuthException", "code": code}
    if subcode:
        error["error_subcode"] = subcode
    return web.json_response({"error": error}, status=400)
