"""Speaks LinkedIn's REST API for one page: headers, versions, refusals sorted. Never retries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from services.social.channels.linkedin.settings import LinkedInSettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

ASK_AGAIN_SECONDS = 900.0
"""After a 429: the network names no instant, but its daily quotas begin anew at midnight UTC."""
PROCESSING_SECONDS = 5.0
DEAD = frozenset({401, 403, 426})
"""A dead token, a missing scope or role, an ended API version: what only a person can cure."""


class LinkedInClient:
    """Authorised calls."""

    def __init__(
        self,
        settings: LinkedInSettings,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock

    async def ask(
        self,
        method: str,
        path: str,
        *,
        mutation: bool = False,
        act: str | None = None,
        json: Any = None,
        params: dict[str, str] | None = None,
        query: str = "",
        bear: int | None = None,
    ) -> Answer:
        """One call below `/rest`; all but a success and the status `bear` is raised.

        `query` is sent as it is, where the values are no plain text.
        `act` is the `X-RestLi-Method` of calls whose HTTP method does not say it.
        """
        query = query or "&".join(
            f"{name}={quote(value, safe='')}" for name, value in (params or {}).items()
        )
        # Encoded by us: the API wants the colons of a URN as %3A, which a client would undo.
        address = URL(
            f"{self._settings.server}/rest/{path}{'?' if query else ''}{query}", encoded=True
        )
        headers = self._authorised() | {
            "LinkedIn-Version": self._settings.version,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        if act:
            headers["X-RestLi-Method"] = act
        answer = await call(
            self._http, method, address, mutation=mutation, headers=headers, json=json
        )
        if answer.ok or answer.status == bear:
            return answer
        raise failure(answer, self._clock(), mutation=mutation)

    async def upload(self, url: str, stream: Any, media_type: str) -> None:
        """The bytes to where the network asked for them; an image that nothing uses harms nobody.

        Whatever goes wrong is begun anew with another address, never by the HTTP client itself.
        """
        headers = self._authorised() | {"Content-Type": media_type}
        address = URL(url, encoded=True)
        try:
            answer = await call(
                self._http, "PUT", address, mutation=True, headers=headers, data=stream
            )
        except OutcomeUnknown as error:
            raise TryAgain(error.reason) from error
        if not answer.ok:
            raise failure(answer, self._clock(), mutation=False)

    def _authorised(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._settings.access_token.get_secret_value()}"}


def encoded(urn: str) -> str:
    """A URN as a part of a path."""
    return quote(urn, safe="")


def code(answer: Answer) -> str:
    """The name of the error, or "" where the network gave none."""
    name = answer.body.get("code") if isinstance(answer.body, dict) else None
    return name if isinstance(name, str) else ""


def failure(answer: Answer, now: datetime, *, mutation: bool) -> DeliveryError:
    """The outcome of an answer that is no success.

    A 5xx may come after the work was done, so on a mutation it is `OutcomeUnknown`.
    """
    said = words(answer)
    if answer.status == 429:
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        seconds = min(ASK_AGAIN_SECONDS, (midnight - now).total_seconds())
        return TryAgain(said, max(seconds, 1.0), whole_account=True)
    if answer.status in DEAD:
        return AuthDead(said)
    if "MEDIA_ASSET_PROCESSING" in said:
        return TryAgain(said, PROCESSING_SECONDS)
    if answer.status >= 500:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def words(answer: Answer) -> str:
    """The network's own words, for the person at the board."""
    message = answer.body.get("message") if isinstance(answer.body, dict) else None
    said = ": ".join(str(part) for part in (code(answer), message) if part)
    return f"HTTP {answer.status}: {said}"[:500] if said else f"HTTP {answer.status}"
