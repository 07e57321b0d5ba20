"""The stand-in's authorisation server: consent, PKCE with S256, and refresh tokens that work once.

Must never take a code, a verifier or a refresh token a second time; who tries loses the whole family, as on
the real network.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from yarl import URL

from services.social.channels.fake_consent import CLIENT_ID, CLIENT_SECRET

TOKEN_SECONDS = 7200
CODE_SECONDS = 30
SCOPES = frozenset({"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"})
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass
class _Consent:
    redirect_uri: str
    challenge: str
    scopes: frozenset[str]
    until: datetime


@dataclass
class _Family:
    """Everything that came of one consent."""

    scopes: frozenset[str]
    access: dict[str, datetime] = field(default_factory=dict)
    refresh: str = ""
    spent: set[str] = field(default_factory=set)
    dead: bool = False


class Authorisations:
    """`refreshes` and `exchanges` count the calls that a token request got as far as asking."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._consents: dict[str, _Consent] = {}
        self._families: list[_Family] = []
        self.exchanges = 0
        self.refreshes = 0
        self.unavailable = 0
        """How many more token requests are answered 503 before anything is done."""
        self.declines = False
        """The person presses "Cancel" instead of "Authorise app"."""

    def opens(self, token: str) -> bool:
        """Whether the access token was issued here and lives."""
        now = self._clock()
        return any(
            not family.dead and family.access.get(token, now) > now for family in self._families
        )

    def expire_tokens(self) -> None:
        """Every access token issued so far ends now; refresh tokens live on."""
        for family in self._families:
            family.access.clear()

    def revoke(self) -> None:
        """The person takes the app's permission away."""
        for family in self._families:
            family.dead = True

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/i/oauth2/authorize", self.consent),
            web.post("/2/oauth2/token", self.token),
        ]

    async def consent(self, request: web.Request) -> web.Response:
        """The page where people consent; this one needs nobody to press the button."""
        query = request.query
        wanted = frozenset(query.get("scope", "").split(" "))
        if (
            query.get("response_type") != "code"
            or query.get("client_id") != CLIENT_ID
            or query.get("code_challenge_method") != "S256"
            or not CHALLENGE.fullmatch(query.get("code_challenge", ""))
            or not query.get("state")
            or not query.get("redirect_uri")
            or not wanted <= SCOPES
        ):
            return web.Response(status=400, text="Something went wrong.")
        back = URL(query["redirect_uri"])
        if self.declines:
            raise web.HTTPFound(back.update_query(error="access_denied", state=query["state"]))
        code = secrets.token_urlsafe(32)
        until = self._clock() + timedelta(seconds=CODE_SECONDS)
        self._consents[code] = _Consent(
            query["redirect_uri"], query["code_challenge"], wanted, until
        )
        raise web.HTTPFound(back.update_query(state=query["state"], code=code))

    async def token(self, request: web.Request) -> web.Response:
        """RFC 6749, sections 4.1.3 and 6, for a confidential client."""
        if not _is_our_client(request):
            return _refusal(401, "unauthorized_client", "Missing valid authorization header")
        form = {name: str(value) for name, value in (await request.post()).items()}
        refreshing = form.get("grant_type") == "refresh_token"
        if refreshing:
            self.refreshes += 1
        else:
            self.exchanges += 1
        if self.unavailable > 0:
            self.unavailable -= 1
            return web.json_response({"title": "Service Unavailable", "status": 503}, status=503)
        if refreshing:
            return self._refresh(form)
        if form.get("grant_type") == "authorization_code":
            return self._exchange(form)
        return _refusal(400, "unsupported_grant_type", "Value passed for the grant is not known.")

    def _exchange(self, form: Mapping[str, str]) -> web.Response:
        consent = self._consents.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        if (
            consent is None
            or self._clock() >= consent.until
            or form.get("redirect_uri") != consent.redirect_uri
        ):
            return _refusal(
                400, "invalid_request", "Value passed for the authorization code was invalid."
            )
        if not VERIFIER.fullmatch(verifier) or _s256(verifier) != consent.challenge:
            return _refusal(400, "invalid_request", "Value passed for the code verifier was wrong.")
        family = _Family(consent.scopes)
        self._families.append(family)
        return self._issue(family)

    def _refresh(self, form: Mapping[str, str]) -> web.Response:
        shown = form.get("refresh_token", "")
        for family in self._families:
            if shown in family.spent:
                family.dead = True
            elif not family.dead and shown and shown == family.refresh:
                family.spent.add(shown)
                return self._issue(family)
        return _refusal(400, "invalid_request", "Value passed for the token was invalid.")

    def _issue(self, family: _Family) -> web.Response:
        access = secrets.token_urlsafe(48)
        family.access[access] = self._clock() + timedelta(seconds=TOKEN_SECONDS)
        told: dict[str, Any] = {
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS,
            "access_token": access,
            "scope": " ".join(sorted(family.scopes)),
        }
        if "offline.access" in family.scopes:
            family.refresh = secrets.token_urlsafe(48)
            told["refresh_token"] = family.refresh
        return web.json_response(told)


def _is_our_client(request: web.Request) -> bool:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return False
    return scheme == "Basic" and (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _refusal(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
