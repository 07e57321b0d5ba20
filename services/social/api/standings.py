"""How an account stands with its network, as `/api/v1/channels` shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.social.domain.spending import MICROS
from services.social.domain.standing import Standing


def described_account(
    shown: dict[str, Any], quiet_until: datetime | None, found: Standing | None, now: datetime
) -> dict[str, Any]:
    """`shown` with its standing. Budgets whose window is over say nothing more, so they are left out."""
    standing = found or Standing()
    breaker, spend = standing.breaker, standing.spend
    broken = breaker is not None and breaker.until is not None
    quiet = quiet_until is not None and quiet_until > now
    word = "breaker_open" if broken else "quiet" if quiet else "open"
    return {
        **shown,
        "quiet_until": quiet_until,
        "standing": "paused" if shown["paused"] else word,
        "breaker": {"reason": breaker.reason, "until": breaker.until}
        if breaker and broken
        else None,
        "budgets": [
            {
                "operation": operation,
                "limit": budget.limit,
                "remaining": budget.remaining,
                "kept_for_breaking": budget.kept,
                "unit": "calls" if budget.counted else "percent",
                "resets_at": budget.resets_at,
            }
            for operation, budget in sorted(standing.budgets.items())
            if budget.resets_at > now
        ],
        "spend": spend
        and {
            "month": spend.month,
            "usd": spend.micros / MICROS,
            "limit_usd": None if spend.limit is None else spend.limit / MICROS,
        },
    }
