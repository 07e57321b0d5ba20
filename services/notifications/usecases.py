"""The acts of people: ask for mail, confirm, leave, be entered by the newsroom; and telling an operator."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.notifications.domain.campaigns import CONFIRMATION, OPERATOR, OUTLET
from services.notifications.domain.errors import BadLink, HasUnsubscribed, SubscriberExists
from services.notifications.domain.links import CONFIRM_DAYS, Links
from services.notifications.domain.subscribers import Standing, Subscriber
from shared.contracts.outlets import Operation, OperatorAlert
from shared.delivery.model import BREAKING, Plan

OPERATOR_MAIL_HOURS = 24


class SubscriberStore(Protocol):
    """Where subscribers are kept."""

    async def ask(self, email: str, lists: Sequence[str], language: str) -> Subscriber: ...

    async def confirm(self, subscriber_id: str, issued_at: datetime) -> bool: ...

    async def leave(self, subscriber_id: str, list_name: str) -> None: ...

    async def bring_in(
        self, email: str, lists: Sequence[str], language: str, consent: str, who: str
    ) -> Subscriber | None: ...

    async def by_email(self, email: str) -> Subscriber | None: ...


class PlanBook(Protocol):
    """The ledger, as far as acts need it."""

    async def plan(self, plan: Plan) -> bool: ...


async def sign_up(
    store: SubscriberStore,
    ledger: PlanBook,
    now: datetime,
    *,
    email: str,
    lists: Sequence[str],
    language: str,
) -> None:
    """Ask the mailbox's owner to confirm, at most once an hour; who is confirmed is not asked."""
    person = await store.ask(email, lists, language)
    if person.status is Standing.CONFIRMED:
        return
    left = int(person.unsubscribed_at.timestamp()) if person.unsubscribed_at else 0
    await ledger.plan(
        Plan(
            article_id=person.id,
            outlet=OUTLET,
            operation=Operation.SEND,
            # Whoever left and comes back within the hour needs a fresh link.
            intent=f"{CONFIRMATION}:{now:%Y%m%d%H}:{left}",
            publication=0,
            revision=1,
            acted_at=now,
            priority=BREAKING,
            expires_at=now + timedelta(days=CONFIRM_DAYS),
            subject={"kind": CONFIRMATION, "recipient": person.id, "dated": now},
        )
    )


async def confirm(store: SubscriberStore, links: Links, now: datetime, token: str) -> None:
    """Raises `BadLink`."""
    link = links.read_confirm(token, now)
    if not await store.confirm(link.subscriber_id, link.issued_at):
        raise BadLink("the link no longer holds; please sign up again")


async def unsubscribe(store: SubscriberStore, links: Links, token: str) -> None:
    """Off that list at once and for good; a second time changes nothing. Raises `BadLink`."""
    link = links.read_leave(token)
    await store.leave(link.subscriber_id, link.list_name)


async def bring_in(
    store: SubscriberStore,
    *,
    email: str,
    lists: Sequence[str],
    language: str,
    consent: str,
    who: str,
) -> Subscriber:
    """Enter a consent given elsewhere. Raises `SubscriberExists` or `HasUnsubscribed`."""
    entered = await store.bring_in(email, lists, language, consent, who)
    if entered is not None:
        return entered
    known = await store.by_email(email)
    if known is not None and known.status is Standing.UNSUBSCRIBED:
        raise HasUnsubscribed(email)
    raise SubscriberExists(email)


async def tell_operator(ledger: PlanBook, alert: OperatorAlert) -> None:
    """Mail an alert; repeats of one fingerprint within an hour are one mail."""
    fingerprint = hashlib.sha256(alert.fingerprint.encode()).hexdigest()[:16]
    await ledger.plan(
        Plan(
            article_id=OPERATOR,
            outlet=OUTLET,
            operation=Operation.SEND,
            intent=f"{fingerprint}:{alert.at:%Y%m%d%H}",
            publication=0,
            revision=1,
            acted_at=alert.at,
            priority=BREAKING,
            expires_at=alert.at + timedelta(hours=OPERATOR_MAIL_HOURS),
            subject={
                "kind": OPERATOR,
                "recipient": OPERATOR,
                "alert": alert.model_dump(mode="json"),
                "dated": alert.at,
            },
        )
    )
