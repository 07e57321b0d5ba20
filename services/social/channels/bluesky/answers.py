"""Sorts what an atproto server answers into the outcomes of a delivery. Never quotes a request."""

from __future__ import annotations

from datetime import UTC, datetime

from services.social.channels.base import RateBudget
from services.social.channels.transport import Answer
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

DEAD = frozenset(
    {
        "AccountDeactivated",
        "AccountSuspended",
        "AccountTakedown",
        "AuthFactorTokenRequired",
        "AuthMissing",
        "AuthenticationRequired",
        "InvalidToken",
    }
)
"""XRPC error names that only a person can cure."""
UNSTATED_RESET_SECONDS = 60.0
"""Wait after a 429 whose headers name no reset."""


def error_name(answer: Answer) -> str:
    """The XRPC `error` field, or "" where the body is none."""
    name = answer.body.get("error") if isinstance(answer.body, dict) else None
    return name if isinstance(name, str) else ""


def words(answer: Answer) -> str:
    """The network's own words, for the person at the board."""
    message = answer.body.get("message") if isinstance(answer.body, dict) else None
    said = ": ".join(str(part) for part in (error_name(answer), message) if part)
    return (said or f"HTTP {answer.status}")[:500]


def budget(answer: Answer) -> RateBudget | None:
    """`ratelimit-limit|remaining|reset`, reset in epoch seconds; None when incomplete."""
    try:
        return RateBudget(
            limit=int(answer.headers["ratelimit-limit"]),
            remaining=int(answer.headers["ratelimit-remaining"]),
            resets_at=datetime.fromtimestamp(int(answer.headers["ratelimit-reset"]), UTC),
        )
    except (KeyError, ValueError, OverflowError, OSError):
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
    if error_name(answer) == "ExpiredToken":
        return TryAgain(said)  # refused at the door, even with a token that was just renewed
    if answer.status == 401 or error_name(answer) in DEAD:
        return AuthDead(said)
    if answer.status >= 500:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)
