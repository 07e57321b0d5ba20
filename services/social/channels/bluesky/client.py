"""Speaks XRPC to one account's server: signs in, renews, reads the headers, sorts refusals. Never retries."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import aiohttp

from services.social.channels.base import RateBudget
from services.social.channels.bluesky.answers import budget, error_name, failure
from services.social.channels.bluesky.session import Session, SessionKeeper
from services.social.channels.bluesky.settings import BlueskySettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, OutcomeUnknown, TryAgain


class XrpcClient:
    """Authorised calls. `note` gets the budget of every answer but signing in, which has its own."""

    def __init__(
        self,
        settings: BlueskySettings,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        timeout: aiohttp.ClientTimeout,
        note: Callable[[RateBudget], None],
    ) -> None:
        self.sessions = SessionKeeper(settings, http, clock, timeout)
        self._server = settings.server
        self._http = http
        self._clock = clock
        self._timeout = timeout
        self._note = note

    async def query(
        self,
        method: str,
        params: dict[str, str] | list[tuple[str, str]],
        *,
        fields: Collection[str],
        bear: str = "",
    ) -> Answer:
        """A reading call. `fields` must be in the answer; an error named `bear` is answered, not raised."""
        return await self._request("GET", method, False, fields, bear, params=params)

    async def write(
        self, method: str, body: dict[str, Any], *, fields: Collection[str] = (), bear: str = ""
    ) -> Answer:
        """A mutation: no answer, a 5xx or a garbled success raise `OutcomeUnknown`."""
        return await self._request("POST", method, True, fields, bear, json=body)

    async def upload(self, data: bytes, media_type: str) -> dict[str, Any]:
        """The blob reference of `data`. An orphaned blob harms nobody, so nothing here is unknown."""
        answer = await self._request(
            "POST", "com.atproto.repo.uploadBlob", False, ["blob"], "", data=(data, media_type)
        )
        blob: dict[str, Any] = answer.body["blob"]
        return blob

    async def _request(
        self,
        verb: str,
        method: str,
        mutation: bool,
        fields: Collection[str],
        bear: str,
        **content: Any,
    ) -> Answer:
        session = await self.sessions.current()
        answer = await self._send(session, verb, method, mutation, content)
        if error_name(answer) == "ExpiredToken":
            # Refused at the door, so asking again with a fresh token repeats nothing.
            session = await self.sessions.renew(session)
            answer = await self._send(session, verb, method, mutation, content)
        if answer.ok:
            if isinstance(answer.body, dict) and all(name in answer.body for name in fields):
                return answer
            said = f"{method} answered without {', '.join(fields)}"
            raise OutcomeUnknown(said) if mutation else TryAgain(said)
        if bear and error_name(answer) == bear:
            return answer
        error = failure(answer, self._clock(), mutation=mutation)
        if isinstance(error, AuthDead):
            self.sessions.forget()
        raise error

    async def _send(
        self, session: Session, verb: str, method: str, mutation: bool, content: dict[str, Any]
    ) -> Answer:
        headers = {"Authorization": f"Bearer {session.access}"}
        sent = dict(content)
        if "data" in sent:
            data, headers["Content-Type"] = sent["data"]
            sent["data"] = io.BytesIO(data)  # read in pieces, so a large image holds up nobody
        answer = await call(
            self._http,
            verb,
            f"{self._server}/xrpc/{method}",
            mutation=mutation,
            headers=headers,
            timeout=self._timeout,
            **sent,
        )
        if left := budget(answer):
            self._note(left)
        return answer
