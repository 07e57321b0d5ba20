"""Speaks to one Discord webhook: budget, refusals sorted, the token kept out of every word. Never retries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from services.social.channels.base import RateBudget
from services.social.channels.discord.settings import DiscordSettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

UNSTATED_RETRY_SECONDS = 60.0
"""Wait after a 429 that names no time, as the proxy in front of the network sends it."""
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10003, 10008, 10015
AGENT = "DiscordBot (herald, 0.1)"
"""The network wants this form and may turn away what does not say who it is."""


class WebhookClient:
    """Calls of one webhook. `heard` is told what each answer's headers leave of the budget."""

    def __init__(
        self,
        settings: DiscordSettings,
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
        path: str = "",
        *,
        mutation: bool = False,
        params: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        data: aiohttp.FormData | None = None,
        gone_is_fine: bool = False,
    ) -> Any:
        """The JSON of a success; None where a 204 has none, or the message is gone and that is fine."""
        token = self._settings.webhook_token.get_secret_value()
        hook = f"{self._settings.server}/api/v10/webhooks/{self._settings.webhook_id}/{token}"
        try:
            answer = await call(
                self._http,
                method,
                f"{hook}{path}",
                mutation=mutation,
                headers={"User-Agent": AGENT},
                params=params,
                json=json,
                data=data,
            )
        except DeliveryError as error:
            # The token is part of the address, and some errors of the HTTP client quote that.
            raise type(error)(error.reason.replace(token, "…")) from None
        if left := budget(answer, self._clock()):
            self._heard(left)
        if answer.ok:
            if answer.status == 204 or isinstance(answer.body, dict):
                return answer.body
            said = "a success without the JSON that belongs to it"
            raise OutcomeUnknown(said) if mutation else TryAgain(said)
        if gone_is_fine and _code(answer) == UNKNOWN_MESSAGE:
            return None
        raise failure(answer, mutation=mutation)


def budget(answer: Answer, now: datetime) -> RateBudget | None:
    """`X-RateLimit-Limit|Remaining|Reset-After`, the last in seconds with a fraction; None if incomplete."""
    try:
        after = timedelta(seconds=float(answer.headers["x-ratelimit-reset-after"]))
        return RateBudget(
            limit=int(answer.headers["x-ratelimit-limit"]),
            remaining=int(answer.headers["x-ratelimit-remaining"]),
            resets_at=now.astimezone(UTC) + after,
        )
    except (KeyError, ValueError, OverflowError):
        return None


def failure(answer: Answer, *, mutation: bool) -> DeliveryError:
    """The outcome of an answer that is no success.

    A 5xx may come after the work was done, so on a mutation it is `OutcomeUnknown`.
    """
    said = words(answer)
    if answer.status == 429:
        return TryAgain(said, _retry_after(answer), whole_account=True)
    if answer.status == 401 or _code(answer) in {UNKNOWN_WEBHOOK, UNKNOWN_CHANNEL}:
        return AuthDead(said)
    if answer.status >= 500:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def _retry_after(answer: Answer) -> float:
    """Seconds: the body has them with a fraction, the header in whole ones."""
    told = answer.body.get("retry_after") if isinstance(answer.body, dict) else None
    for value in (told, answer.headers.get("retry-after")):
        try:
            return max(float(value), 0.1)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
    return UNSTATED_RETRY_SECONDS


def _code(answer: Answer) -> int | None:
    """The JSON error code of a refusal."""
    code = answer.body.get("code") if isinstance(answer.body, dict) else None
    return code if isinstance(code, int) else None


def words(answer: Answer) -> str:
    """The network's own words, with the field that an invalid form names, for the person at the board."""
    if not isinstance(answer.body, dict):
        return f"HTTP {answer.status}"
    said = f"HTTP {answer.status}: {answer.body.get('message')} ({_code(answer)})"
    return "; ".join([said, *_fields(answer.body.get("errors"))])[:500]


def _fields(errors: Any, path: str = "") -> list[str]:
    if not isinstance(errors, dict):
        return []
    found = []
    for name, inner in errors.items():
        if name == "_errors" and isinstance(inner, list):
            found += [f"{path}: {one.get('message')}" for one in inner if isinstance(one, dict)]
        else:
            found += _fields(inner, f"{path}.{name}" if path else str(name))
    return found
