"""The four answers the outside can give besides success; a channel raises exactly these."""

from __future__ import annotations

import math

LONGEST_WAIT = 86_400.0
"""Seconds. Whoever asks for more is asked again after a day: no header silences an account for years."""


class DeliveryError(Exception):
    """Base of everything a channel may raise. `reason` is a sentence for the person at the board."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TryAgain(DeliveryError):
    """Nothing was applied and trying later may work. `after` is seconds, None for the usual back-off.

    It is often what the outside said, so a day is the most, and what is no number counts as not said.
    `whole_account` is True when the outside throttles the account and not just this item.
    """

    def __init__(
        self, reason: str, after: float | None = None, *, whole_account: bool = False
    ) -> None:
        super().__init__(reason)
        if after is not None:
            after = None if math.isnan(after) else min(max(after, 0.0), LONGEST_WAIT)
        self.after = after
        self.whole_account = whole_account


class NotReady(TryAgain):
    """Something of our own is not there yet, which says nothing of the outside."""


class GiveUp(DeliveryError):
    """The outside refused for good; the same payload will never be taken."""


class AuthDead(DeliveryError):
    """The credentials are no longer valid; the account pauses until a person renews them."""


class OutcomeUnknown(DeliveryError):
    """The request may have been applied: it left, and no trustworthy answer came back."""
