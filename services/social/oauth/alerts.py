"""What operators are told of an account's credentials, once; an account that may no longer post pauses first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from services.social.store import Accounts
from shared.contracts.events import Outgoing, write_event
from shared.contracts.outlets import OperatorAlert
from shared.runtime.clock import Clock
from shared.runtime.ids import new_id
from shared.runtime.tracing import current_traceparent


class Alerts:
    """Events ride in the account's outbox, in the write that they announce wherever there is one."""

    def __init__(
        self, accounts: Accounts, clock: Clock, wake_relay: Callable[[str, str], None]
    ) -> None:
        self._accounts = accounts
        self._clock = clock
        self._wake_relay = wake_relay

    def event(
        self,
        account_id: str,
        severity: Literal["info", "warning", "critical"],
        kind: str,
        title: str,
        detail: str,
        *,
        article_id: str | None = None,
    ) -> Outgoing:
        """`kind` makes the fingerprint: the same one is the same trouble."""
        now = self._clock.now()
        alert = OperatorAlert(
            severity=severity,
            fingerprint=f"{kind}:{account_id}",
            title=title,
            detail=detail,
            article_id=article_id,
            at=now,
        )
        return write_event(
            alert,
            id=new_id(),
            source="/herald/social",
            subject=account_id,
            time=now,
            traceparent=current_traceparent(),
        ).outgoing()

    def sent(self, account_id: str) -> None:
        """The account has got an event: take it to the broker now."""
        self._wake_relay(self._accounts.collection.name, account_id)

    async def announce(self, account_id: str, event: Outgoing) -> None:
        """Put an event that no other write carries into the account's outbox, and take it to the broker."""
        await self._accounts.announce(account_id, event)
        self.sent(account_id)

    async def dead(self, account_id: str, reason: str, *, article_id: str | None = None) -> None:
        """Pause the account and say so; whoever comes second says nothing."""
        if not await self._accounts.pause(account_id, f"{DEAD}{reason}", BY):
            return
        event = self.event(
            account_id,
            "critical",
            "auth-dead",
            f"{account_id} is no longer allowed to post",
            f"{reason}. Posts wait until the account is connected again and resumed.",
            article_id=article_id,
        )
        await self.announce(account_id, event)


DEAD, BY = "credentials: ", "herald"
"""How the reason of such a pause begins, and who pauses."""
