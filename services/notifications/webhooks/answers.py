"""What a receiver's answer means, and when to try again. Source: Standard Webhooks 1.0.0."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.delivery.errors import DeliveryError, GiveUp, OutcomeUnknown, TryAgain

_MINUTE, _HOUR = 60, 3600
SCHEDULE = (
    5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR,
    24 * _HOUR,
)  # fmt: skip
"""Seconds before the second, third, ... attempt: ten attempts over 75 h 35 min."""
HORIZON = timedelta(hours=76)
"""What was not begun this long after the act is not sent any more."""
MAX_RETRY_AFTER = 24 * _HOUR


class Gone(GiveUp):
    """The receiver answered 410: it wants nothing more, ever."""


def judged(
    status: int, headers: Mapping[str, str], now: datetime, *, attempts: int, in_doubt: bool
) -> DeliveryError | None:
    """The error that this answer to attempt number `attempts` (from 1) is, or None for a success.

    `in_doubt` says that an earlier attempt may have been processed. A 5xx leaves that open too: the
    receiver recognises the same `webhook-id`, so the same message is simply sent again.
    """
    if 200 <= status < 300:
        return None
    reason = f"the receiver answered {status}"
    if status == 410:
        return Gone(f"{reason} and wants nothing more")
    asked = retry_after(headers.get("retry-after"), now)
    if status == 429 or (status == 503 and asked is not None):
        after = max(asked or 0.0, next_pause(attempts) or float(_MINUTE))
        return TryAgain(reason, after, whole_account=True)
    return failed(reason, attempts=attempts, uncertain=status >= 500, in_doubt=in_doubt)


def failed(reason: str, *, attempts: int, uncertain: bool, in_doubt: bool) -> DeliveryError:
    """The error for an attempt without a usable answer; after the last attempt it is given up."""
    pause = next_pause(attempts)
    if pause is None:
        return GiveUp(f"{reason}, at the last of {len(SCHEDULE) + 1} attempts")
    if uncertain and not in_doubt:
        return OutcomeUnknown(reason)
    return TryAgain(reason, pause)


def next_pause(attempts: int) -> float | None:
    """Seconds to wait after attempt number `attempts`, ±10 %; None when it was the last."""
    if attempts > len(SCHEDULE):
        return None
    spread = random.uniform(0.9, 1.1)  # noqa: S311  # spreads load, guards nothing
    return SCHEDULE[max(attempts, 1) - 1] * spread


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds asked for by a Retry-After header (RFC 9110, 10.2.3), at most a day; None without one."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), MAX_RETRY_AFTER))
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), float(MAX_RETRY_AFTER))
