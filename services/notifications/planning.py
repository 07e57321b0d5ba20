"""From snapshots to plans: who must be written to and what partners must be told. Local work only.

Idempotent at every step: a campaign is entered before its deliveries and marked when all of them are,
so whatever a crash interrupts is finished by the same event coming again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.notifications.domain.campaigns import (
    ALERTS,
    OUTLET,
    Campaign,
    Decision,
    Kind,
    tallied,
    wanted,
)
from services.notifications.domain.webhooks import (
    PUBLISHED,
    UPDATED,
    Webhook,
    event_type,
    payload,
)
from services.notifications.store.campaigns import Campaigns
from services.notifications.store.subscribers import Subscribers
from services.notifications.store.webhooks import Webhooks
from services.notifications.webhooks.answers import HORIZON
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import DeliveryState, Operation, OutletLine
from shared.delivery.ledger import Ledger
from shared.delivery.model import BREAKING, NORMAL, PENDING, Delivery, Plan
from shared.runtime.clock import Clock, elapsed_ms
from shared.storage.held import Held, HeldArticles

SIDE_BY_SIDE = 32
"""Deliveries entered at a time; each is one majority write."""


class Planning:
    """Applies held snapshots, and follows up on alerts that are confirmed late."""

    def __init__(
        self,
        held: HeldArticles,
        campaigns: Campaigns,
        subscribers: Subscribers,
        webhooks: Webhooks,
        *,
        mail: Ledger,
        hooks: Ledger,
        clock: Clock,
        lateness: timedelta,
        wake_mail: Callable[[], None],
        wake_hooks: Callable[[], None],
    ) -> None:
        self._held = held
        self._campaigns = campaigns
        self._subscribers = subscribers
        self._webhooks = webhooks
        self._mail = mail
        self._hooks = hooks
        self._clock = clock
        self._lateness = lateness
        self._wake_mail = wake_mail
        self._wake_hooks = wake_hooks

    async def apply(self, held: Held) -> Sequence[OutletLine]:
        """Plan what the snapshot asks for, cancel what it makes void; every line of the article."""
        article = held.article
        existing, hooks, told = await asyncio.gather(
            self._campaigns.of_article(article.id),
            self._webhooks.all(),
            self._hooks.of_article(article.id),
        )
        await self._void(article, existing, told)
        campaigns, messages = await asyncio.gather(
            self._mailings(held, existing), self._messages(held, existing, hooks, told)
        )
        lines = [line for campaign in campaigns if (line := campaign.line())]
        return [*lines, *(delivery.line() for delivery in messages)]

    async def follow_up(self, article_id: str) -> None:
        """Write to those whose alert was confirmed only after the correction or retraction came."""
        existing = await self._campaigns.of_article(article_id)
        later = [one for one in existing if one.kind is not Kind.ALERT and one.planned]
        held = await self._held.get(article_id) if later else None
        if held is None:
            return
        for campaign in later:
            if not _still_wanted(campaign, held.article):
                continue
            reached = {one async for one in self._recipients(campaign)}
            missing = reached - await self._campaigns.written_to(campaign.id)
            if missing:
                await self._campaigns.reopen(campaign.id)
                await asyncio.gather(*(self._enter(campaign, held, one) for one in missing))
                self._wake_mail()

    async def _void(
        self, article: Article, existing: Sequence[Campaign], told: Sequence[Delivery]
    ) -> None:
        """What has not begun of an article that is no longer public never begins."""
        if article.status is Status.PUBLISHED:
            return
        reason = f"the article was {article.status.value} first"
        # A partner who takes only one kind of withdrawal must not lose it to the other.
        await asyncio.gather(
            *(
                self._hooks.close(one, DeliveryState.CANCELLED, reason)
                for one in told
                if one.state.value in PENDING and one.subject["type"] in {PUBLISHED, UPDATED}
            )
        )
        if existing and all(one.kind is not Kind.RETRACTION for one in existing):
            await self._mail.cancel_pending(
                article.id, reason, before_revision=article.revision, operation=None
            )

    async def _mailings(self, held: Held, existing: Sequence[Campaign]) -> list[Campaign]:
        fresh = wanted(held.article, held.acted_at, existing, self._clock.now(), self._lateness)
        await asyncio.gather(*(self._campaigns.create(campaign) for campaign in fresh))
        return [
            campaign if campaign.planned else await self._launch(campaign, held)
            for campaign in (*existing, *fresh)
        ]

    async def _launch(self, campaign: Campaign, held: Held) -> Campaign:
        """Enter one delivery for each recipient, then say that all are entered."""
        recipients = 0
        if _still_wanted(campaign, held.article):
            batch: list[str] = []
            async for recipient in self._recipients(campaign):
                batch.append(recipient)
                if len(batch) == SIDE_BY_SIDE:
                    recipients += await self._enter_all(campaign, held, batch)
                    batch = []
            recipients += await self._enter_all(campaign, held, batch)
        milliseconds = None
        if not recipients:
            milliseconds = elapsed_ms(campaign.acted_at, self._clock.now())
        tally = tallied({DeliveryState.PLANNED: recipients}, milliseconds)
        launched = replace(campaign, tally=tally, planned=True)
        await self._campaigns.planned(launched)
        if campaign.kind is not Kind.ALERT:
            # An alert confirmed while we read who had one was too late for us and too early for
            # the reckoning, which looks only after campaigns that are entered.
            await self.follow_up(campaign.article_id)
        return launched

    async def _enter_all(self, campaign: Campaign, held: Held, recipients: list[str]) -> int:
        await asyncio.gather(*(self._enter(campaign, held, one) for one in recipients))
        if recipients:
            self._wake_mail()
        return len(recipients)

    def _recipients(self, campaign: Campaign) -> AsyncIterator[str]:
        if campaign.kind is Kind.ALERT:
            return self._subscribers.audience(ALERTS, campaign.cut_at)
        number = campaign.number if campaign.kind is Kind.CORRECTION else None
        return self._campaigns.told(campaign.article_id, number)

    async def _enter(self, campaign: Campaign, held: Held, recipient: str) -> None:
        await self._mail.plan(mail_plan(campaign, held, recipient, self._lateness))

    async def _messages(
        self,
        held: Held,
        existing: Sequence[Campaign],
        hooks: Sequence[Webhook],
        told: Sequence[Delivery],
    ) -> Sequence[Delivery]:
        plans = messages(held, existing, hooks, self._clock.now())
        if not plans:
            return told
        await asyncio.gather(*(self._hooks.plan(plan) for plan in plans))
        self._wake_hooks()
        return await self._hooks.of_article(held.article.id)


def mail_plan(campaign: Campaign, held: Held, recipient: str, lateness: timedelta) -> Plan:
    """One recipient's mail."""
    is_alert = campaign.kind is Kind.ALERT
    return Plan(
        article_id=campaign.article_id,
        outlet=OUTLET,
        operation=Operation.SEND,
        intent=f"{campaign.kind.value}.{campaign.number}:{recipient}",
        publication=campaign.publication,
        revision=campaign.revision,
        acted_at=campaign.acted_at,
        priority=_priority(held.article),
        expires_at=campaign.cut_at + lateness if is_alert else None,
        subject={
            "kind": campaign.kind.value,
            "number": campaign.number,
            "campaign": campaign.id,
            "recipient": recipient,
            "dated": campaign.created_at,
        },
        traceparent=held.traceparent,
    )


def messages(
    held: Held, existing: Sequence[Campaign], hooks: Sequence[Webhook], now: datetime
) -> list[Plan]:
    """What partners are told of this snapshot."""
    article = held.article
    # A service that catches up after days must not surprise partners with old news, nor does what
    # was published elsewhere before it came here.
    if article.imported or now - held.acted_at > HORIZON:
        return []
    alert = next(
        (one for one in existing if one.kind is Kind.ALERT and one.number == article.publication),
        None,
    )
    first_seen = alert is None or alert.revision == article.revision
    kind = event_type(article, first_seen=first_seen)
    return [
        _message(held, hook, kind)
        for hook in hooks
        if hook.wants(kind)
        and hook.created_at <= held.acted_at
        and not {"webhook", hook.outlet} & set(article.skip_outlets)
    ]


def _message(held: Held, hook: Webhook, kind: str) -> Plan:
    article = held.article
    timestamp = held.acted_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Plan(
        article_id=article.id,
        outlet=hook.outlet,
        operation=Operation.SEND,
        intent=str(article.revision),
        publication=article.publication,
        revision=article.revision,
        acted_at=held.acted_at,
        priority=_priority(article),
        expires_at=held.acted_at + HORIZON,
        subject={
            "webhook": hook.id,
            "type": kind,
            "timestamp": timestamp,
            "data": payload(article),
        },
        traceparent=held.traceparent,
    )


def _still_wanted(campaign: Campaign, article: Article) -> bool:
    if campaign.kind is Kind.RETRACTION:
        return article.status is Status.RETRACTED
    return campaign.decision is Decision.SEND and article.status is Status.PUBLISHED


def _priority(article: Article) -> int:
    return BREAKING if article.priority == "breaking" else NORMAL
