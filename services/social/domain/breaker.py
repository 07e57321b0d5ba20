"""The circuit breaker of one account: a network that keeps failing is left alone, then tried with one post. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from services.social.domain.budgets import clock_time
from shared.delivery.outside import Hold

FAILURES = 5
"""So many different deliveries in a row, and none that worked."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)
PROBE_TIME = timedelta(seconds=90)
"""How long one post may take to try it out, until another may."""

PROBE_LOOK_SECONDS = 10.0
"""The others look again this soon: what it found out is known in a moment, as a rule."""


class Breaker(BaseModel):
    """What has failed since it last worked. There is none for an account that works."""

    model_config = ConfigDict(frozen=True)

    failed: tuple[str, ...] = ()
    """The deliveries, until it opens."""
    reason: str = ""
    """What the last of them met."""
    openings: int = 0
    until: datetime | None = None
    """When a post may try it out again; None while it is closed."""
    tried_at: datetime | None = None
    probe: str | None = None
    """The delivery that is trying it out."""


def hold(breaker: Breaker | None, now: datetime, *, express: bool) -> Hold | None:
    """Until when and why a delivery waits; None where it may pass, or try it out."""
    if breaker is None or breaker.until is None:
        return None
    ready_at = breaker.until
    if express and breaker.tried_at:
        # News that cannot wait a quarter of an hour is the better probe.
        ready_at = min(ready_at, breaker.tried_at + FIRST_PAUSE)
    if ready_at <= now:
        return None
    seconds = (ready_at - now).total_seconds()
    said = f"next try at {clock_time(ready_at, now)}"
    if breaker.probe:
        seconds, said = min(seconds, PROBE_LOOK_SECONDS), "one post is trying it out"
    return Hold(seconds, f"circuit breaker open, {said}: {breaker.reason}")


def begun(breaker: Breaker | None, delivery_id: str, now: datetime) -> Breaker | None:
    """The breaker once a delivery that may pass has begun: where it is open, this one tries it out."""
    if breaker is None or breaker.until is None:
        return breaker
    return breaker.model_copy(
        update={"probe": delivery_id, "tried_at": now, "until": now + PROBE_TIME}
    )


def failed(breaker: Breaker | None, delivery_id: str, reason: str, now: datetime) -> Breaker:
    """The breaker after a failure of the network, or of the way to it."""
    before = breaker or Breaker()
    if before.until is not None:
        # What was under way when it opened says nothing new; only the probe does.
        probed = before.probe == delivery_id or before.until <= now
        return _opened(before, reason, now) if probed else before
    after = tuple(dict.fromkeys((*before.failed, delivery_id)))
    counted = before.model_copy(update={"failed": after, "reason": reason})
    return _opened(counted, reason, now) if len(after) >= FAILURES else counted


def _opened(breaker: Breaker, reason: str, now: datetime) -> Breaker:
    pause = min(FIRST_PAUSE * 2 ** min(breaker.openings, 10), LONGEST_PAUSE)
    return Breaker(reason=reason, openings=breaker.openings + 1, until=now + pause, tried_at=now)
