"""What an account's posts cost in a calendar month (UTC), and how much of its limit breaking news keeps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from shared.delivery.outside import Hold

MICROS = 1_000_000
"""Of a US dollar; whole ones, so that a month's sum is exact."""
LONGEST_HOLD_SECONDS = 3600.0
"""Then the limit is looked at again, for it may have been raised."""
WARN_PERCENT = 80


@dataclass(frozen=True)
class Price:
    """What one call costs, and what the account may cost in a month; None where nobody set a limit."""

    micros: int
    limit: int | None = None


FREE = Price(0)


class Spend(BaseModel):
    """What was spent in a month, and of which percentages an operator was told."""

    model_config = ConfigDict(frozen=True)

    month: str
    micros: int = 0
    limit: int | None = None
    """As of the last post."""
    told: int = 0


def of_month(spend: Spend | None, now: datetime) -> Spend:
    """This month's sum, which begins at nothing."""
    month = f"{now:%Y-%m}"
    return spend if spend and spend.month == month else Spend(month=month)


def hold(spend: Spend, price: Price, now: datetime, *, express: bool) -> Hold | None:
    """Why a post waits that the month's limit has no room for; None where there is room."""
    if price.limit is None or price.micros == 0:
        return None
    after = spend.micros + price.micros
    if after <= (price.limit if express else price.limit - price.limit // 10):
        return None
    said = f"cost budget: {usd(spend.micros)} of {usd(price.limit)} spent in {spend.month}"
    if after <= price.limit:
        said += ", the rest is kept for breaking news"
    left = (_next_month(now) - now).total_seconds()
    return Hold(min(left, LONGEST_HOLD_SECONDS), said)


def charged(spend: Spend, price: Price) -> Spend:
    """The sum with one more call."""
    return spend.model_copy(
        update={"micros": max(0, spend.micros + price.micros), "limit": price.limit}
    )


def refunded(spend: Spend | None, price: Price, now: datetime) -> Spend | None:
    """The sum without a call that certainly came to nothing."""
    if spend is None or price.micros == 0 or spend.month != f"{now:%Y-%m}":
        return spend
    return spend.model_copy(update={"micros": max(0, spend.micros - price.micros)})


def reached(spend: Spend, *, held: bool) -> int:
    """The percentage to tell an operator of now: 80, 100 (or a post is held for it), 0 for none."""
    if spend.limit is None:
        return 0
    if held or spend.micros >= spend.limit:
        percent = 100
    else:
        percent = WARN_PERCENT if spend.micros * 100 >= spend.limit * WARN_PERCENT else 0
    return percent if percent > spend.told else 0


def usd(micros: int) -> str:
    """As people read it: $0.20, and $0.015 where cents do not say it all."""
    return f"${micros / MICROS:.2f}" if micros % 10_000 == 0 else f"${micros / MICROS:.3f}"


def _next_month(now: datetime) -> datetime:
    year, month = divmod(now.year * 12 + now.month, 12)
    return datetime(year, month + 1, 1, tzinfo=now.tzinfo)
