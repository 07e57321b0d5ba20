"""The stand-in's authorisation server: apps register themselves, consent with PKCE, tokens that do not expire.

Must never take a code twice, nor a redirect address or a scope that the app did not register.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

SCOPES = frozenset({"read:accounts", "read:statuses", "write:media", "write:statuses"})


@dataclass(frozen=True)
class _App:
    secret: str
    redirect_uris: frozenset[str]
    scopes: frozenset[str]


@dataclass(frozen=True)
class _Consent:
    client_id: str
    redirect_uri: str
    challenge: str | None


class Authorisations:
    """`registrations` counts the apps that were ever made; `full` refuses to make more."""

    def __init__(self) -> None:
        self._apps: dict[str, _App] = {}
        self._consents: dict[str, _Consent] = {}
        self._tokens: set[str] = set()
        self.registrations = 0
        self.full = False
        self.declines = False
        """The person presses "Deny"."""

    def opens(self, token: str) -> bool:
        return token in self._tokens

    def revoke(self) -> None:
        """The person takes the app's permission away."""
        self._tokens.clear()

    def forget_apps(self) -> None:
        """The server clears away apps that nobody used."""
        self._apps.clear()

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.post("/api/v1/apps", self.register),
            web.get("/oauth/authorize", self.consent),
            web.post("/oauth/token", self.token),
        ]

    async def register(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        scopes = frozenset(form.get("scopes", "read").split(" "))
        uris = frozenset(form.get("redirect_uris", "").split())
        if self.full or not form.get("client_name") or not uris or not scopes <= SCOPES:
            words = "Validation failed: Redirect URI must be an absolute URI."
            return web.json_response({"error": words}, status=422)
        self.registrations += 1
        client_id, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._apps[client_id] = _App(secret, uris, scopes)
        told = {"id": str(self.registrations), "name": form["client_name"]}
        return web.json_response({**told, "client_id": client_id, "client_secret": secret})

    async def consent(self, request: web.Request) -> web.Response:
        """The page where people consent; this one needs nobody to press the button."""
        query = request.query
        app = self._apps.get(query.get("client_id", ""))
        challenge = query.get("code_challenge")
        if (
            app is None
            or query.get("response_type") != "code"
            or query.get("redirect_uri") not in app.redirect_uris
            or not frozenset(query.get("scope", "read").split(" ")) <= app.scopes
            or (challenge is not None and query.get("code_challenge_method") != "S256")
        ):
            return web.Response(status=400, text="Client authentication failed.")
        if self.declines:
            denial = {"error": "access_denied", "state": query.get("state", "")}
            raise web.HTTPFound(URL(query["redirect_uri"]).update_query(denial))
        code = secrets.token_urlsafe(32)
        self._consents[code] = _Consent(query["client_id"], query["redirect_uri"], challenge)
        back = URL(query["redirect_uri"])
        raise web.HTTPFound(back.update_query(code=code, state=query.get("state", "")))

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        app = self._apps.get(form.get("client_id", ""))
        if app is None or form.get("client_secret") != app.secret:
            words = "Client authentication failed due to unknown client."
            return _refusal(401, "invalid_client", words)
        if form.get("grant_type") == "client_credentials":
            return web.json_response({"access_token": "of-the-app", "token_type": "Bearer"})
        if form.get("grant_type") != "authorization_code" or not self._takes(form):
            words = "The provided authorization grant is invalid, expired or revoked."
            return _refusal(400, "invalid_grant", words)
        token = secrets.token_urlsafe(32)
        self._tokens.add(token)
        told = {"token_type": "Bearer", "scope": " ".join(sorted(app.scopes)), "created_at": 1}
        return web.json_response({"access_token": token, **told})

    def _takes(self, form: Mapping[str, str]) -> bool:
        consent = self._consents.pop(form.get("code", ""), None)
        if consent is None or consent.client_id != form["client_id"]:
            return False
        proven = consent.challenge in {None, _s256(form.get("code_verifier", ""))}
        return proven and consent.redirect_uri == form.get("redirect_uri")


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _refusal(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
