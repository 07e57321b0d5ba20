"""Speaks version 2 of X's API for one account: headers, budget, refusals sorted. Never retries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp

from services.social.channels.base import RateBudget
from services.social.channels.transport import Answer, call
from services.social.channels.x.settings import XSettings
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

UNSTATED_RESET_SECONDS = 900.0
"""Wait after a 429 without headers: the network's shortest window."""
WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
"""Each with `-limit`, `-remaining` and `-reset`, an epoch in seconds."""
STOPPED = ("usage-capped", "credits", "client-forbidden", "unsupported-authentication", "oauth")
"""In the `type` of a problem that only a person can cure: money, the plan, the scopes."""
LOCKED = ("suspended", "temporarily locked")
"""In the `detail` of a 403 that stops the whole account."""
DUPLICATE = "duplicate content"


class XClient:
    """Authorised calls. `heard` is told what a post's headers leave of the budget."""

    def __init__(
        self,
        settings: XSettings,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        heard: Callable[[RateBudget], None],
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._heard = heard

    async def ask(
        self,
        method: str,
        path: str,
        *,
        mutation: bool = False,
        json: Any = None,
        data: Any = None,
        params: dict[str, str] | None = None,
        bear: Callable[[Answer], bool] = lambda _: False,
    ) -> Answer:
        """One call; the answer is a success, or one that `bear` takes; all else is raised."""
        token = self._settings.access_token.get_secret_value()
        answer = await call(
            self._http,
            method,
            f"{self._settings.server}{path}",
            mutation=mutation,
            headers={"Authorization": f"Bearer {token}"},
            json=json,
            data=data,
            params=params,
        )
        # Each kind of call has a window of its own; what is used up for posts is what stops posts.
        if mutation and method == "POST" and (left := budget(answer)):
            self._heard(left)
        if answer.ok:
            if isinstance(answer.body, dict):
                return answer
            said = "a success without the JSON that belongs to it"
            raise OutcomeUnknown(said) if mutation else TryAgain(said)
        if bear(answer):
            return answer
        raise failure(answer, self._clock(), mutation=mutation)


def budget(answer: Answer) -> RateBudget | None:
    """The tightest of the windows that the headers tell; None where they tell none."""
    told = [left for name in WINDOWS if (left := _window(answer, name))]
    # Of two that are used up the one that ends last.
    return min(told, key=lambda left: (left.remaining, -left.resets_at.timestamp()), default=None)


def _window(answer: Answer, name: str) -> RateBudget | None:
    try:
        return RateBudget(
            limit=int(answer.headers[f"{name}-limit"]),
            remaining=int(answer.headers[f"{name}-remaining"]),
            resets_at=datetime.fromtimestamp(int(answer.headers[f"{name}-reset"]), UTC),
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def failure(answer: Answer, now: datetime, *, mutation: bool) -> DeliveryError:
    """The outcome of an answer that is no success.

    A 5xx may come after the work was done, so on a mutation it is `OutcomeUnknown`. Used-up credits
    come as 402, 403 or 429: whatever the status, waiting for a window does not bring them back.
    """
    said = words(answer)
    kind = _field(answer, "type").rpartition("/problems/")[2]
    if answer.status in {401, 402} or any(kind.startswith(known) for known in STOPPED):
        return AuthDead(said)
    if answer.status == 429:
        left = budget(answer)
        seconds = (left.resets_at - now).total_seconds() if left else UNSTATED_RESET_SECONDS
        return TryAgain(said, max(seconds, 1.0), whole_account=True)
    if answer.status == 403 and any(known in said for known in LOCKED):
        return AuthDead(said)
    if answer.status >= 500:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def is_duplicate(answer: Answer) -> bool:
    """The refusal of a text that the account has posted already; it does not say which post."""
    return answer.status == 403 and DUPLICATE in _field(answer, "detail")


def is_gone(answer: Answer) -> bool:
    """No such post, or no longer: a 404, or a success that has only this error in it."""
    if answer.status == 404:
        return True
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    return answer.ok and isinstance(errors, list) and "data" not in answer.body


def words(answer: Answer) -> str:
    """The network's own words (RFC 7807, and the `errors` of an invalid request), for the person at the board."""
    body = answer.body if isinstance(answer.body, dict) else {}
    errors = body.get("errors")
    told = (
        errors[0].get("message")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict)
        else None
    )
    said = ": ".join(str(part) for part in (body.get("title"), body.get("detail"), told) if part)
    return f"HTTP {answer.status}: {said}"[:500] if said else f"HTTP {answer.status}"


def _field(answer: Answer, name: str) -> str:
    value = answer.body.get(name) if isinstance(answer.body, dict) else None
    return value if isinstance(value, str) else ""
