"""What the stand-ins' authorisation servers share: a page of consent, and codes and tokens that come of it.

Must never show the page to an app or for a scope that it does not know, nor take a code a second time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from yarl import URL

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret-that-opens-nothing"  # noqa: S105  # only of the stand-ins


@dataclass(frozen=True)
class _Code:
    redirect_uri: str
    until: datetime


class ConsentPage:
    """Consents by itself, or refuses by itself while `declines`; `seconds` is how long a code lives.

    `scopes` are all that an app may ask for, written with `separator` between them; `denial` is what the
    browser comes back with when the person presses the other button.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        scopes: frozenset[str],
        separator: str,
        seconds: float,
        denial: Mapping[str, str],
    ) -> None:
        self._clock = clock
        self._scopes = scopes
        self._separator = separator
        self._life = timedelta(seconds=seconds)
        self._denial = dict(denial)
        self._codes: dict[str, _Code] = {}
        self.declines = False

    async def show(self, request: web.Request) -> web.Response:
        """RFC 6749, section 4.1.1, for the one app that is registered here."""
        query = request.query
        redirect_uri = query.get("redirect_uri", "")
        wanted = frozenset(query.get("scope", "").split(self._separator))
        if (
            query.get("response_type") != "code"
            or query.get("client_id") != CLIENT_ID
            or not query.get("state")
            or not URL(redirect_uri).absolute
            or not wanted <= self._scopes
        ):
            return web.Response(status=400, text="Something went wrong.")
        back = URL(redirect_uri)
        if self.declines:
            raise web.HTTPFound(back.update_query(self._denial | {"state": query["state"]}))
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(redirect_uri, self._clock() + self._life)
        raise web.HTTPFound(back.update_query(code=code, state=query["state"]))

    def takes(self, form: Mapping[str, str]) -> bool:
        """Whether the code was given here, is used for the first time, in time, and for the same address."""
        given = self._codes.pop(form.get("code", ""), None)
        if given is None or self._clock() >= given.until:
            return False
        return form.get("redirect_uri") == given.redirect_uri


class Granted:
    """Tokens that were given out, each for a time or for good."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._until: dict[str, datetime | None] = {}
        self._since: dict[str, datetime] = {}

    def give(self, seconds: float | None) -> str:
        """A new token; None is for good."""
        token, now = secrets.token_urlsafe(48), self._clock()
        self._since[token] = now
        self._until[token] = None if seconds is None else now + timedelta(seconds=seconds)
        return token

    def opens(self, token: str) -> bool:
        if token not in self._until:
            return False
        until = self._until[token]
        return until is None or self._clock() < until

    def seconds_left(self, token: str) -> float | None:
        """Of one that opens; None is for good."""
        until = self._until[token]
        return None if until is None else (until - self._clock()).total_seconds()

    def age(self, token: str) -> timedelta:
        return self._clock() - self._since[token]

    def end(self) -> None:
        """Every token that was given ends now, as when the person takes the permission away."""
        self._until.clear()


def shows_the_app(form: Mapping[str, str]) -> bool:
    """Whether the app's id and secret came in the form (RFC 6749, section 2.3.1)."""
    return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


async def form_of(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}
