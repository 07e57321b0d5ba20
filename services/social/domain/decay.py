"""When the counts of a post are read: often at first, then ever more rarely, then never again."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = (
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    3 * HOUR,
    8 * HOUR,
    DAY,
    2 * DAY,
    4 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
)
"""Seconds since the post was made."""
JITTER = 0.1
"""A post's steps come up to this much later, each post's by its own share: a paper posts on the hour."""


def next_reading(key: str, since: datetime, now: datetime) -> datetime | None:
    """The first step later than `now` of the post made at `since`; None when there are no more.

    Steps that were missed are not made up for: only what a post stands at now can be read.
    """
    late = 1 + JITTER * share(key)
    for seconds in STEPS:
        try:
            at = since + timedelta(seconds=seconds * late)
        except OverflowError:
            return None
        if at > now:
            return at
    return None


def share(key: str) -> float:
    """From 0 to below 1, the same for a key in every process: nothing is stored and replicas agree."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
