"""What a campaign's deliveries add up to, told to the fan-out board. Never counts what it has not read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.notifications.domain.campaigns import Campaign, Kind, Tally
from services.notifications.store.campaigns import Campaigns
from shared.contracts.outlets import DeliveryState
from shared.delivery.intake import report_event
from shared.delivery.model import Delivery
from shared.runtime.clock import Clock, monotonic

COALESCE_SECONDS = 0.02
"""Mails confirmed in the same moment are counted together."""
SHARE = 4
"""Counting rests this many times as long as it last took, so that a large campaign is not slowed by it."""
POLL_SECONDS = 1.0
LOOKS = 2

FollowUp = Callable[[str], Awaitable[None]]


class Reckoner:
    """Sums up open campaigns: at once when touched, and once a second for what was missed."""

    def __init__(
        self,
        service: str,
        campaigns: Campaigns,
        follow_up: FollowUp,
        clock: Clock,
        wake_relay: Callable[[str, str], None],
    ) -> None:
        self._service = service
        self._campaigns = campaigns
        self._follow_up = follow_up
        self._clock = clock
        self._wake_relay = wake_relay
        self._touched: dict[str, int] = {}
        self._took = 0.0
        self.wake: Callable[[], None] = lambda: None
        """Set to the loop's own by whoever runs it."""

    def note(self, delivery: Delivery) -> None:
        """Called by the ledger with each change: no board shows a single mail, so none is reported."""
        campaign = delivery.subject.get("campaign")
        if campaign:
            # The ledger tells before it writes, so one look might come too early.
            self._touched[campaign] = LOOKS
            self.wake()

    async def step(self) -> float:
        """Sum up once; answers the seconds to wait for the next time."""
        await asyncio.sleep(max(COALESCE_SECONDS, SHARE * self._took))
        began = monotonic()
        touched = list(self._touched)
        campaigns = [one for one in await self._campaigns.open_ones(touched) if one.planned]
        for campaign in campaigns:
            if campaign.kind is Kind.ALERT:
                await self._follow_up(campaign.article_id)
        tallies = await self._campaigns.tallies(campaigns)
        for campaign in campaigns:
            await self._record(campaign, tallies[campaign.id])
        for id in touched:
            self._touched[id] -= 1
            if not self._touched[id]:
                del self._touched[id]
        self._took = monotonic() - began
        return POLL_SECONDS

    async def _record(self, campaign: Campaign, tally: Tally) -> None:
        if tally == campaign.tally:
            if tally.state is not DeliveryState.WAITING:
                await self._campaigns.settle(campaign, tally, None)
            return
        line = replace(campaign, tally=tally, sequence=campaign.sequence + 1).line()
        if line is None:
            return
        report = report_event(
            self._service,
            campaign.article_id,
            campaign.revision,
            [line],
            self._clock,
            partial=True,
        )
        if await self._campaigns.settle(campaign, tally, report):
            self._wake_relay(self._campaigns.collection.name, campaign.id)
