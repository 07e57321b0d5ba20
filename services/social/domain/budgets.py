"""How many calls an account has left, as its network told any replica, and which of them breaking news keeps. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from shared.delivery.outside import Hold

MOST = 10**9
"""More than any network allows: what a header says beyond it is no number to count with."""
LONGEST_WINDOW = timedelta(days=1)
ONE_WINDOW = timedelta(seconds=1)
"""Two ends of windows nearer than this are one end, told in seconds or measured from two instants."""


class Budget(BaseModel):
    """The calls of one kind that are left before `resets_at`."""

    model_config = ConfigDict(frozen=True)

    limit: int
    remaining: int
    """What the network told, less what has begun since."""
    resets_at: datetime
    told_at: datetime
    counted: bool = True
    """False where the network tells a percentage, of which one call may be a small part."""

    @property
    def kept(self) -> int:
        """How many breaking news alone may use: a tenth, at least one, but never all."""
        return min(max(1, self.limit // 10), max(self.limit - 1, 0))


def told(
    limit: int, remaining: int, resets_at: datetime, now: datetime, *, counted: bool = True
) -> Budget:
    """A network's word, with what cannot be meant cut to what can."""
    most = min(max(limit, 0), MOST)
    return Budget(
        limit=most,
        remaining=min(max(remaining, 0), most),
        resets_at=min(resets_at, now + LONGEST_WINDOW),
        told_at=now,
        counted=counted,
    )


def merged(known: Budget | None, new: Budget) -> Budget:
    """What is known after the network's word `new`: the newer one, but within a window it only sinks.

    Answers of calls side by side do not know of each other; what has begun is not begun anew.
    """
    if known is None or known.resets_at <= new.told_at:
        return new
    if new.told_at < known.told_at:
        return known
    if new.counted and abs(known.resets_at - new.resets_at) < ONE_WINDOW:
        return new.model_copy(update={"remaining": min(known.remaining, new.remaining)})
    return new


def taken(budget: Budget | None, now: datetime) -> Budget | None:
    """The budget after one more call has begun."""
    if budget is None or budget.resets_at <= now or not budget.counted:
        return budget
    return budget.model_copy(update={"remaining": max(0, budget.remaining - 1)})


def hold(budget: Budget | None, now: datetime, *, express: bool) -> Hold | None:
    """Until when and why a delivery waits; None where a call is left for it."""
    if budget is None or budget.resets_at <= now:
        return None
    if budget.remaining > (0 if express else budget.kept):
        return None
    unit = "of" if budget.counted else "percent of"
    said = f"rate budget: {budget.remaining} {unit} {budget.limit} left until "
    said += clock_time(budget.resets_at, now)
    if budget.remaining:
        said += ", kept for breaking news"
    return Hold((budget.resets_at - now).total_seconds(), said)


def clock_time(at: datetime, now: datetime) -> str:
    """The time of day in UTC, with what is needed beside hours and minutes."""
    if at - now < timedelta(minutes=2):
        return f"{at:%H:%M:%S} UTC"
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%H:%M} UTC on {at:%Y-%m-%d}"
