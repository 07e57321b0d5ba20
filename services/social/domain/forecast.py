"""When credentials run out, when to renew them, and when a person must be told. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

WARN_DAYS = (14, 7, 1)
"""How long before the end an operator is told, once at each."""
AGED = 0.8
"""Of a token's life: renewed when this much is over, so that a failing network has time to come back."""
SPARE = timedelta(days=7)
"""Or when this little is left, if the token's life is long enough for that to be later than half of it."""


def renew_at(obtained_at: datetime, expires_at: datetime) -> datetime:
    """When credentials that can be renewed should be."""
    life = expires_at - obtained_at
    return max(obtained_at + life / 2, min(obtained_at + AGED * life, expires_at - SPARE))


def step(ends_at: datetime, now: datetime) -> int | None:
    """The last of `WARN_DAYS` that has come; None while the end is further away."""
    reached = [days for days in WARN_DAYS if ends_at - now <= timedelta(days=days)]
    return min(reached, default=None)


def in_words(ends_at: datetime, now: datetime) -> str:
    """The forecast as a person reads it."""
    left = ends_at - now
    if left <= timedelta():
        return "the credentials have run out: connect the account again"
    if left < timedelta(days=1):
        hours = max(1, round(left / timedelta(hours=1)))
        return f"the credentials run out in {_count(hours, 'hour')}: connect the account again"
    days = round(left / timedelta(days=1))
    return f"the credentials run out in {_count(days, 'day')}: connect the account again"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
