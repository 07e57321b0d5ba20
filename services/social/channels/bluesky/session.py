"""Keeps one signed-in session of a Bluesky account. Never signs in twice at once, never logs a token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp

from services.social.channels.bluesky.answers import failure, words
from services.social.channels.bluesky.settings import BlueskySettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, TryAgain


@dataclass(frozen=True)
class Session:
    """What createSession and refreshSession answer."""

    did: str
    handle: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)


class SessionKeeper:
    """The cached session: createSession is limited to 300 a day, refresh tokens work once."""

    def __init__(
        self,
        settings: BlueskySettings,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        timeout: aiohttp.ClientTimeout,
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._session: Session | None = None

    async def current(self) -> Session:
        """The session, signed in if there is none. Raises `AuthDead` or `TryAgain`."""
        async with self._lock:
            if self._session is None:
                self._session = await self._create()
            return self._session

    async def renew(self, expired: Session) -> Session:
        """A session newer than `expired`; whoever comes second gets what the first one fetched."""
        async with self._lock:
            if self._session is not None and self._session is not expired:
                return self._session
            self._session = None
            self._session = await self._refresh(expired) or await self._create()
            return self._session

    def forget(self) -> None:
        """Sign in anew next time."""
        self._session = None

    async def _refresh(self, expired: Session) -> Session | None:
        """None when the refresh token is spent, revoked, or its one use got lost on the way."""
        try:
            answer = await self._call(
                "com.atproto.server.refreshSession",
                headers={"Authorization": f"Bearer {expired.refresh}"},
            )
        except TryAgain:
            return None
        return _session(answer) if answer.ok else None

    async def _create(self) -> Session:
        answer = await self._call(
            "com.atproto.server.createSession",
            json={
                "identifier": self._settings.identifier,
                "password": self._settings.app_password.get_secret_value(),
            },
        )
        if answer.ok:
            return _session(answer)
        if 400 <= answer.status < 500 and answer.status != 429:
            # Whatever the name of the error: with these credentials nobody gets in.
            raise AuthDead(words(answer))
        raise failure(answer, self._clock(), mutation=False)

    async def _call(
        self,
        method: str,
        *,
        headers: dict[str, str] | None = None,
        json: dict[str, str] | None = None,
    ) -> Answer:
        url = f"{self._settings.server}/xrpc/{method}"
        # A session is no post: one too many harms nobody, so no answer is simply "try again".
        return await call(
            self._http,
            "POST",
            url,
            mutation=False,
            headers=headers,
            json=json,
            timeout=self._timeout,
        )


def _session(answer: Answer) -> Session:
    try:
        body = answer.body
        return Session(body["did"], body["handle"], body["accessJwt"], body["refreshJwt"])
    except (KeyError, TypeError) as error:
        raise TryAgain("the server answered a session that lacks a field") from error
