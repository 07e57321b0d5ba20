"""Which accounts to leave alone just now, by what all replicas know. May be a moment old: sending asks again."""

from __future__ import annotations

import asyncio
from datetime import datetime

from services.social.domain import budgets
from services.social.domain.standing import Ask, Standing, foreseen
from services.social.standing import Standings
from services.social.store import Accounts, scopes
from shared.contracts.outlets import Operation
from shared.delivery.model import BREAKING, LANES, Delivery, Lanes
from shared.delivery.outside import Go, Verdict
from shared.runtime.clock import Clock

FRESH_SECONDS = 0.25
SHORT_SECONDS = 30.0
"""A wait for a budget that is shorter passes a backlog over; of a longer one each post is told why."""


class Admission:
    """Reads pauses, quiet times and standings at most four times a second."""

    def __init__(self, accounts: Accounts, standings: Standings, clock: Clock) -> None:
        self._accounts = accounts
        self._standings = standings
        self._clock = clock
        self._read_at: datetime | None = None
        self._blocked: Lanes = {}
        self._known: dict[str, Standing] = {}

    def forget(self) -> None:
        """Read anew, because something has just changed."""
        self._read_at = None

    async def blocked(self) -> Lanes:
        """Outlets to leave alone, in each lane."""
        await self._refresh()
        return self._blocked

    async def verdict(self, delivery: Delivery) -> Verdict:
        """Whether beginning is of use: an open breaker or a used up budget would stop it anyway."""
        await self._refresh()
        known = self._known.get(delivery.outlet.removeprefix("social/"), Standing())
        return foreseen(known, Ask.of(delivery), self._clock.now()) or Go()

    async def _refresh(self) -> None:
        now = self._clock.now()
        if self._read_at and (now - self._read_at).total_seconds() < FRESH_SECONDS:
            return
        accounts, pauses, self._known = await asyncio.gather(
            self._accounts.all(), self._accounts.pauses(), self._standings.all()
        )
        off = {pause.scope for pause in pauses}
        self._blocked = {
            lane: tuple(
                account.outlet
                for account, quiet_until in accounts
                if off & set(scopes(account.id))
                or (quiet_until and quiet_until > now)
                or _soon(self._known.get(account.id), now, express=lane == BREAKING)
            )
            for lane in LANES
        }
        self._read_at = now


def _soon(standing: Standing | None, now: datetime, *, express: bool) -> bool:
    """Whether posts wait for a budget that comes back so soon that it is no news."""
    if standing is None:
        return False
    held = budgets.hold(standing.budgets.get(Operation.POST.value), now, express=express)
    return held is not None and held.seconds < SHORT_SECONDS
