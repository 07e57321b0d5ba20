"""Sorts what the Threads API answers into the outcomes of a delivery. Never quotes a request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.social.channels.base import RateBudget
from services.social.channels.transport import Answer
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

NOT_PROPAGATED = 4_279_009
"""The container is made but not yet known everywhere: the same one can be published a little later."""
RESTRICTED = 4_279_013
ACTION_BLOCKED = 2_207_051
"""Called an error, yet such posts have been seen to be published afterwards."""
MAY_HAVE_HAPPENED = frozenset({1, 2})
"""Unknown error and service unavailable."""
THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
BLOCKED_FOR_NOW = 368
DEAD = frozenset({102, 190})
PERMISSION = frozenset({10, *range(200, 300)})
GONE = frozenset({(100, 33), (803, 0)})

PROPAGATION_SECONDS = 30.0
"""What the documentation advises to wait between the two steps."""
ASK_AGAIN_SECONDS = 900.0
"""After a throttle that names no time."""
BLOCKED_SECONDS = 3600.0
"""Asking sooner prolongs a block."""


def codes(answer: Answer) -> tuple[int, int]:
    """The error's code and subcode; 0 where there is none."""
    error = _error(answer)
    return _number(error.get("code")), _number(error.get("error_subcode"))


def gone(answer: Answer) -> bool:
    """Whether the network says that there is no such object."""
    return codes(answer) in GONE


def budget(answer: Answer, now: datetime) -> RateBudget | None:
    """`X-App-Usage` and `X-Business-Use-Case-Usage`: percentages used up; None where neither came."""
    usages = list(_usages(answer))
    if not usages:
        return None
    names = ("call_count", "total_cputime", "total_time")
    used = max(_number(usage.get(name)) for usage in usages for name in names)
    seconds = _regained_in(usages) or ASK_AGAIN_SECONDS
    return RateBudget(100, min(100, max(0, 100 - used)), now + timedelta(seconds=seconds))


def failure(answer: Answer, *, mutation: bool, own_post: bool = False) -> DeliveryError:
    """The outcome of an answer that is no success.

    `own_post` says that the call is about a post that is out, which needs a permission of its own: to be
    without it says nothing of the account's other posts.
    """
    said = words(answer)
    code, subcode = codes(answer)
    if NOT_PROPAGATED in {code, subcode}:
        return TryAgain(said, PROPAGATION_SECONDS)
    if ACTION_BLOCKED in {code, subcode}:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    if code == BLOCKED_FOR_NOW:
        return TryAgain(said, BLOCKED_SECONDS, whole_account=True)
    if {code, subcode} & THROTTLED or (answer.status == 429 and not code):
        seconds = _regained_in(list(_usages(answer))) or ASK_AGAIN_SECONDS
        return TryAgain(said, seconds, whole_account=True)
    if code in DEAD or RESTRICTED in {code, subcode} or (answer.status == 401 and not code):
        return AuthDead(said)
    if code in PERMISSION:
        return GiveUp(said) if own_post else AuthDead(said)
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
    """Every usage that the headers tell: one of the app, lists of them by account."""
    for name in ("x-app-usage", "x-business-use-case-usage"):
        try:
            told = orjson.loads(answer.headers.get(name, "{}"))
        except orjson.JSONDecodeError:
            continue
        cases = [told] if name == "x-app-usage" else told.values() if isinstance(told, dict) else []
        for case in cases:
            each = case if isinstance(case, list) else [case]
            yield from (usage for usage in each if usage and isinstance(usage, dict))


def _regained_in(usages: list[dict[str, Any]]) -> float:
    """Seconds until access comes back, a day at most, where the network estimates it; else 0."""
    minutes = (_number(usage.get("estimated_time_to_regain_access")) for usage in usages)
    return min(max(minutes, default=0) * 60.0, 86_400.0)


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) < 10**12 else 0
