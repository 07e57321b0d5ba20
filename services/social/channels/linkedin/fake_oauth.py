"""The stand-in's authorisation server: access tokens of 60 days, refresh tokens of a year for approved partners only.

Must never lengthen a refresh token's year, nor take a code or a wrong secret twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from services.social.channels.fake_consent import ConsentPage, Granted, form_of, shows_the_app

SCOPES = frozenset({"w_organization_social", "r_organization_social", "rw_organization_admin"})
CODE_SECONDS, ACCESS_SECONDS, REFRESH_SECONDS = 1800, 5_184_000, 31_536_000
NAME = "Herald"


class Authorisations(ConsentPage):
    """`partner` says whether the app gets refresh tokens; `also_runs` are further pages of the person, by number.

    `lasts` is how long a consent is good for; those of other stand-ins are for good, as far as they say.
    """

    lasts = timedelta(seconds=ACCESS_SECONDS)

    def __init__(self, clock: Callable[[], datetime], organization: str) -> None:
        super().__init__(
            clock,
            scopes=SCOPES,
            separator=" ",
            seconds=CODE_SECONDS,
            denial={
                "error": "user_cancelled_authorize",
                "error_description": "The user cancelled the authorization",
            },
        )
        self._organization = organization
        self._access, self._refreshing = Granted(clock), Granted(clock)
        self.partner = False
        self.also_runs: dict[str, str] = {}
        self.exchanges = 0
        self.refreshes = 0

    def opens(self, token: str) -> bool:
        return self._access.opens(token)

    def revoke(self) -> None:
        """The person takes the app's permission away."""
        self._access.end()
        self._refreshing.end()

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/oauth/v2/authorization", self.show),
            web.post("/oauth/v2/accessToken", self._token),
            web.get("/rest/organizationAcls", self._roles),
            web.get("/rest/organizations/{id}", self._page),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        if not shows_the_app(form):
            return _refusal(401, "invalid_client", "Client authentication failed")
        if form.get("grant_type") == "refresh_token":
            return self._renewed(form)
        if form.get("grant_type") != "authorization_code" or not self.takes(form):
            words = (
                "Unable to retrieve access token: appid/redirect uri/code verifier does not match"
            )
            return _refusal(400, "invalid_request", f"{words} authorization code.")
        self.exchanges += 1
        return self._issued(self._refreshing.give(REFRESH_SECONDS) if self.partner else None)

    def _renewed(self, form: Mapping[str, str]) -> web.Response:
        token = form.get("refresh_token", "")
        if not self._refreshing.opens(token):
            words = (
                "The provided authorization grant or refresh token is invalid, expired or revoked"
            )
            return _refusal(400, "invalid_request", words)
        self.refreshes += 1
        return self._issued(token)

    def _issued(self, refresh: str | None) -> web.Response:
        told: dict[str, Any] = {
            "access_token": self._access.give(ACCESS_SECONDS),
            "expires_in": ACCESS_SECONDS,
            "scope": ",".join(sorted(SCOPES)),
        }
        if refresh is not None:
            told["refresh_token"] = refresh
            told["refresh_token_expires_in"] = self._refreshing.seconds_left(refresh)
        return web.json_response(told)

    async def _roles(self, request: web.Request) -> web.Response:
        """The pages that the person may post for; the stand-in knows one finder only."""
        wanted = {"q": "roleAssignee", "role": "ADMINISTRATOR", "state": "APPROVED"}
        if any(request.query.get(name) != value for name, value in wanted.items()):
            return web.json_response({"status": 400, "message": "Unknown finder"}, status=400)
        elements = [
            {
                "organization": f"urn:li:organization:{number}",
                "role": "ADMINISTRATOR",
                "roleAssignee": "urn:li:person:A1",
                "state": "APPROVED",
            }
            for number in (self._organization, *self.also_runs)
        ]
        return web.json_response({"elements": elements, "paging": {"start": 0, "count": 100}})

    async def _page(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        name = {self._organization: NAME, **self.also_runs}.get(number)
        if name is None:
            return web.json_response({"status": 404, "message": "Entity not found"}, status=404)
        return web.json_response({"id": int(number), "localizedName": name})


def _refusal(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
