"""What is told of a reaction: figures to publishing, and to an operator what a newsroom must know. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable

from services.social.channels.base import Posted
from services.social.domain.planning import Account
from services.social.oauth.alerts import Alerts
from services.social.reaction.store import Reading
from shared.contracts.events import Outgoing
from shared.contracts.outlets import Counts, OutletFigures
from shared.delivery.intake import report_event
from shared.runtime.clock import Clock

SERVICE = "social"


class Reports:
    """Events ready for an outbox; `wake` has the relay look at it at once."""

    def __init__(
        self, alerts: Alerts, clock: Clock, wake_relay: Callable[[str, str], None]
    ) -> None:
        self._alerts = alerts
        self._clock = clock
        self._wake_relay = wake_relay

    def wake(self, reading: Reading) -> None:
        self._wake_relay("readings", reading.id)

    def figures(self, reading: Reading, counts: Counts, *, gone: bool = False) -> Outgoing:
        figures = OutletFigures(
            outlet=reading.outlet,
            delivery=reading.id,
            at=self._clock.now(),
            counts=counts,
            gone=gone,
        )
        return report_event(
            SERVICE,
            reading.article_id,
            reading.revision,
            (),
            self._clock,
            partial=True,
            figures=(figures,),
        )

    def gone(self, reading: Reading, account: Account, post: Posted) -> tuple[Outgoing, Outgoing]:
        """The board says so, and a person is told: somebody else than we removed it."""
        alert = self._alerts.event(
            account.id,
            "warning",
            f"post-gone:{reading.id}",
            f"A post of {account.id} is no longer there",
            f"{post.url or post.remote_id} was removed on the network, by the network or by a "
            "person; Herald did not do it and does not post it again.",
            article_id=reading.article_id,
        )
        return self.figures(reading, reading.counts, gone=True), alert

    async def refused(self, account: Account, reason: str) -> None:
        """Once per reason, until a reading succeeds."""
        event = self._alerts.event(
            account.id,
            "info",
            "counts-refused",
            f"{account.id} may not read how its posts are doing",
            f"{reason}. Posts go on; the counts stay as they are until the account may read them.",
        )
        await self._alerts.announce(account.id, event)
