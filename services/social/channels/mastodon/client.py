"""Speaks one Mastodon server's API for one account: headers, budget, refusals sorted. Never retries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp

from services.social.channels.base import RateBudget
from services.social.channels.mastodon.settings import MastodonSettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

UNSTATED_RESET_SECONDS = 300.0
"""Wait after a 429 without headers: the server's shortest window."""
PROCESSING_SECONDS = 5.0
DEAD_403 = ("authorized scopes", "Your login is")
"""Beginnings of a 403 that only a person can cure: too few scopes, or the login was disabled."""


class MastodonClient:
    """Authorised calls. `heard` is told what each answer's headers leave of the budget."""

    def __init__(
        self,
        settings: MastodonSettings,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        heard: Callable[[RateBudget], None],
    ) -> None:
        self._heard = heard
        self._settings = settings
        self._http = http
        self._clock = clock

    async def ask(
        self,
        method: str,
        path: str,
        *,
        mutation: bool = False,
        headers: dict[str, str] | None = None,
        json: Any = None,
        data: Any = None,
        params: dict[str, str] | None = None,
        gone_is_fine: bool = False,
    ) -> Answer:
        """One call; the answer is a success (or a 404 where `gone_is_fine`), all else is raised."""
        token = self._settings.access_token.get_secret_value()
        answer = await call(
            self._http,
            method,
            f"{self._settings.server}{path}",
            mutation=mutation,
            headers={"Authorization": f"Bearer {token}"} | (headers or {}),
            json=json,
            data=data,
            params=params,
        )
        if left := budget(answer):
            self._heard(left)
        if answer.ok:
            if isinstance(answer.body, dict | list):
                return answer
            said = "a success without the JSON that belongs to it"
            raise OutcomeUnknown(said) if mutation else TryAgain(said)
        if gone_is_fine and answer.status == 404:
            return answer
        raise failure(answer, self._clock(), mutation=mutation)


def budget(answer: Answer) -> RateBudget | None:
    """`X-RateLimit-Limit|Remaining|Reset`, reset in ISO 8601; None when incomplete."""
    try:
        resets = datetime.fromisoformat(answer.headers["x-ratelimit-reset"])
        return RateBudget(
            limit=int(answer.headers["x-ratelimit-limit"]),
            remaining=int(answer.headers["x-ratelimit-remaining"]),
            resets_at=resets.astimezone(UTC),
        )
    except (KeyError, ValueError, OverflowError):
        return None


def failure(answer: Answer, now: datetime, *, mutation: bool) -> DeliveryError:
    """The outcome of an answer that is no success.

    A 5xx may come after the work was done, so on a mutation it is `OutcomeUnknown`.
    """
    said = words(answer)
    if answer.status == 429:
        left = budget(answer)
        seconds = (left.resets_at - now).total_seconds() if left else UNSTATED_RESET_SECONDS
        return TryAgain(said, max(seconds, 1.0), whole_account=True)
    if answer.status == 401:
        return AuthDead(said)
    if answer.status == 403 and any(known in said for known in DEAD_403):
        return AuthDead(said)
    if answer.status == 422 and "finished processing" in said:
        return TryAgain(said, PROCESSING_SECONDS)
    if answer.status >= 500:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def words(answer: Answer) -> str:
    """The server's own words, for the person at the board."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    said = f"HTTP {answer.status}: {error}" if error else f"HTTP {answer.status}"
    return said[:500]
