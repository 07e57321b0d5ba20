"""Which mails and webhook messages a snapshot would lead to, by the code that sends. Writes to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.notifications.domain.campaigns import (
    ALERTS,
    OUTLET,
    Campaign,
    Decision,
    Kind,
    wanted,
)
from services.notifications.domain.links import LeaveLink, Links
from services.notifications.domain.webhooks import Webhook, message_id
from services.notifications.mail.compose import Masthead, compose, parts, subject
from services.notifications.planning import mail_plan, messages
from services.notifications.store.campaigns import Campaigns
from services.notifications.store.subscribers import Subscribers
from services.notifications.store.webhooks import Webhooks
from services.notifications.webhooks.sender import message
from services.notifications.worker.mail import letter_for
from shared.contracts.articles import Article
from shared.contracts.outlets import Operation
from shared.storage.held import Held
from shared.web.previews import NONE, Line

NOBODY = "00000000-0000-7000-8000-000000000000"
"""The subscriber whose links a previewed mail carries: well formed, and nobody's."""
NOBODYS_ADDRESS = "reader@example.org"


class Previews:
    """Shows snapshots. A mail is shown as one reader would get it."""

    def __init__(
        self,
        campaigns: Campaigns,
        subscribers: Subscribers,
        webhooks: Webhooks,
        *,
        masthead: Masthead,
        links: Links,
        lateness: timedelta,
    ) -> None:
        self._campaigns = campaigns
        self._subscribers = subscribers
        self._webhooks = webhooks
        self._masthead = masthead
        self._links = links
        self._lateness = lateness

    async def show(self, article: Article, now: datetime) -> list[Line]:
        existing, hooks = await asyncio.gather(
            self._campaigns.of_article(article.id), self._webhooks.all()
        )
        held = Held(article, now, None, 0, {})
        fresh = wanted(article, now, existing, now, self._lateness)
        mails = await asyncio.gather(*(self._mail(campaign, held) for campaign in fresh))
        if not mails:
            mails = [{"outlet": OUTLET, "operation": NONE, "reason": "this asks for no mail"}]
        return [*mails, *_messages(held, existing, hooks, now)]

    async def _mail(self, campaign: Campaign, held: Held) -> Line:
        line: Line = {"outlet": OUTLET, "kind": campaign.kind.value, "number": campaign.number}
        if campaign.decision is not Decision.SEND:
            reason = campaign.tally.reason or "left out by the editor"
            return {**line, "operation": NONE, "reason": reason}
        letter = letter_for(campaign.kind.value, campaign.number, held.article)
        leave_url = self._links.leave_url(LeaveLink(NOBODY, ALERTS))
        said = parts(letter, self._masthead, leave_url)
        envelope = compose(
            letter,
            self._masthead,
            recipient=NOBODYS_ADDRESS,
            key=mail_plan(campaign, held, NOBODY, self._lateness).id,
            dated=campaign.created_at,
            list_name=ALERTS,
            leave_url=leave_url,
        )
        return {
            **line,
            "operation": Operation.SEND.value,
            "recipients": await self._recipients(campaign),
            "subject": subject(letter),
            "html": said.html,
            "text": said.text,
            "message": envelope.message,
        }

    async def _recipients(self, campaign: Campaign) -> int:
        if campaign.kind is Kind.ALERT:
            return await self._subscribers.count(ALERTS, campaign.cut_at)
        number = campaign.number if campaign.kind is Kind.CORRECTION else None
        return await self._campaigns.count_told(campaign.article_id, number)


def _messages(
    held: Held, existing: Sequence[Campaign], hooks: Sequence[Webhook], now: datetime
) -> list[Line]:
    """One line for each webhook that is on."""
    plans = {plan.outlet: plan for plan in messages(held, existing, hooks, now)}
    lines: list[Line] = []
    for hook in hooks:
        plan = plans.get(hook.outlet)
        if plan is None:
            reason = "left out by the editor"
            if held.article.imported:
                reason = "it was published elsewhere before it came here"
            elif not {"webhook", hook.outlet} & set(held.article.skip_outlets):
                reason = "it does not take events of this type"
            lines.append({"outlet": hook.outlet, "operation": NONE, "reason": reason})
            continue
        told = plan.subject
        lines.append(
            {
                "outlet": hook.outlet,
                "operation": Operation.SEND.value,
                "id": message_id(plan.id),
                "type": told["type"],
                "body": message(told["type"], told["timestamp"], told["data"]),
            }
        )
    return lines
