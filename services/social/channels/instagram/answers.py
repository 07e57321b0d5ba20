"""Sorts what Instagram's Graph API answers into the outcomes of a delivery. Never quotes a request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.social.channels.base import RateBudget
from services.social.channels.transport import Answer
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

MAY_HAVE_HAPPENED = frozenset({1, 2})
"""Unknown error and service unavailable."""
ACTION_BLOCKED = 2_207_051
"""Called an error, yet such a picture has been seen to be published afterwards."""
THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
QUOTA = 2_207_042
"""The account's publications of 24 hours are used up."""
DEAD = frozenset({102, 190})
RESTRICTED = 2_207_050
PERMISSION = frozenset({10, *range(200, 300)})
NOT_FETCHED = frozenset({2_207_003, 2_207_052, 2_207_053})
"""Instagram could not read our picture just now."""
NOT_READY = 2_207_027
CONTAINER_GONE = frozenset({2_207_008, 2_207_020})
GONE = frozenset({(100, 33), (803, 0)})

ASK_AGAIN_SECONDS = 900.0
"""After a throttle that names no time: the windows roll over an hour."""
QUOTA_SECONDS = 3600.0
FETCH_SECONDS = 60.0
READY_SECONDS = 5.0


def codes(answer: Answer) -> tuple[int, int]:
    """The error's code and subcode; 0 where there is none."""
    error = _error(answer)
    return _number(error.get("code")), _number(error.get("error_subcode"))


def budget(answer: Answer, now: datetime) -> RateBudget | None:
    """`X-App-Usage` and `X-Business-Use-Case-Usage`: percentages used up; None where neither came."""
    usages = list(_usages(answer))
    if not usages:
        return None
    names = ("call_count", "total_cputime", "total_time")
    used = max(_number(usage.get(name)) for usage in usages for name in names)
    seconds = _regained_in(usages) or ASK_AGAIN_SECONDS
    return RateBudget(100, min(100, max(0, 100 - used)), now + timedelta(seconds=seconds))


def gone(answer: Answer) -> bool:
    """Whether the network says that there is no such object."""
    return codes(answer) in GONE


def failure(answer: Answer, *, mutation: bool, one_post: bool = False) -> DeliveryError:
    """The outcome of an answer that is no success.

    `one_post` says that the call is about a picture that is out: refusing that says nothing of the
    account, which may lack a permission that only corrections or deletions need.
    """
    said = words(answer)
    code, subcode = codes(answer)
    if ACTION_BLOCKED in {code, subcode}:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    if subcode in CONTAINER_GONE:
        return TryAgain(said, 1.0)
    if subcode == NOT_READY:
        return TryAgain(said, READY_SECONDS)
    if subcode in NOT_FETCHED:
        return TryAgain(said, FETCH_SECONDS)
    if subcode == QUOTA:
        return TryAgain(said, QUOTA_SECONDS, whole_account=True)
    if {code, subcode} & THROTTLED or (answer.status == 429 and not code):
        seconds = _regained_in(list(_usages(answer))) or ASK_AGAIN_SECONDS
        return TryAgain(said, seconds, whole_account=True)
    if code in DEAD or subcode == RESTRICTED or (answer.status == 401 and not code):
        return AuthDead(said)
    if code in PERMISSION:
        return GiveUp(said) if one_post else AuthDead(said)
    passing = _error(answer).get("is_transient") is True
    if code in MAY_HAVE_HAPPENED or passing or (answer.status >= 500 and not code):
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def words(answer: Answer) -> str:
    """The network's own words, for the person at the board."""
    error = _error(answer)
    said = error.get("error_user_msg") or error.get("message")
    code, subcode = codes(answer)
    numbers = f"{code}/{subcode}" if subcode else str(code)
    return f"error {numbers}: {said}"[:500] if said else f"HTTP {answer.status}"


def _error(answer: Answer) -> dict[str, Any]:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return error if isinstance(error, dict) else {}


def _usages(answer: Answer) -> Iterator[dict[str, Any]]:
    """Every usage that the headers tell, of the app and of the account."""
    for name in ("x-app-usage", "x-business-use-case-usage"):
        try:
            told = orjson.loads(answer.headers.get(name, "{}"))
        except orjson.JSONDecodeError:
            continue
        if not isinstance(told, dict) or not told:
            continue
        cases = [told] if name == "x-app-usage" else told.values()
        for case in cases:
            each = case if isinstance(case, list) else [case]
            yield from (usage for usage in each if isinstance(usage, dict))


def _regained_in(usages: list[dict[str, Any]]) -> float:
    """Seconds until access comes back, a day at most, where the network estimates it; else 0."""
    minutes = (_number(usage.get("estimated_time_to_regain_access")) for usage in usages)
    return min(max(minutes, default=0) * 60.0, 86_400.0)


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) < 10**12 else 0
