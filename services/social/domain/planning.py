"""Which posts, edits and deletions an article's snapshot asks for, compared with what is planned already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.social.domain.policy import Policy
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import BREAKING, NORMAL, Delivery, Plan

NEVER_POSTED = {DeliveryState.CANCELLED, DeliveryState.FAILED, DeliveryState.MISSED}


@dataclass(frozen=True)
class Account:
    """One connected account, without its secrets."""

    channel: str
    name: str
    created_at: datetime
    policy: Policy = field(default_factory=Policy)
    """What is done about changes, where that is not the network's default."""

    @property
    def id(self) -> str:
        return f"{self.channel}/{self.name}"

    @property
    def outlet(self) -> str:
        return f"social/{self.channel}/{self.name}"


def skips(article: Article, account: Account) -> bool:
    """Whether the editor left this outlet out, by account, by channel or all of social."""
    return bool({"social", f"social/{account.channel}", account.outlet} & set(article.skip_outlets))


def plans(
    article: Article,
    acted_at: datetime,
    accounts: Iterable[Account],
    existing: Sequence[Delivery],
    *,
    lateness: timedelta,
    traceparent: str | None,
) -> list[Plan]:
    """Everything this snapshot asks for; planning an item again changes nothing.

    Compares the snapshot with the ledger instead of trusting the event's type, so a lost, repeated
    or re-ordered event leads to the same plans.
    """

    def plan(
        outlet: str,
        operation: Operation,
        intent: str,
        *,
        publication: int = article.publication,
        expires: datetime | None = None,
    ) -> Plan:
        return Plan(
            article_id=article.id,
            outlet=outlet,
            operation=operation,
            intent=intent,
            publication=publication,
            revision=article.revision,
            acted_at=acted_at,
            # What must come down is as urgent as breaking news, and waits behind no backlog.
            priority=BREAKING if breaking or operation is Operation.DELETE else NORMAL,
            expires_at=expires,
            traceparent=traceparent,
        )

    breaking = article.priority == "breaking"
    every_post = [one for one in existing if one.operation is Operation.POST]
    public = article.publication if article.status is Status.PUBLISHED else None
    # Posts of an earlier publication go too: its end may have been overtaken by the next beginning.
    # A post that was deleted and posted again has several; the newest is what the deletion goes on from.
    gone = {
        (post.outlet, post.publication)
        for post in every_post
        if post.publication != public and post.state not in NEVER_POSTED
    }
    wanted = [
        plan(outlet, Operation.DELETE, str(publication), publication=publication)
        for outlet, publication in sorted(gone)
    ]
    if public is None:
        return wanted
    posts = {post.outlet: post for post in every_post if post.publication == public}
    # `published_at` stays that of the first publication, so a later one counts from its own act,
    # which is that of its first post: the snapshot may be a later update's.
    since = min([acted_at, *(post.acted_at for post in posts.values())])
    if public == 1 and article.published_at:
        since = article.published_at
    for account in accounts:
        post = posts.get(account.outlet)
        if post is None:
            # An account that was connected later never posts what was already out, and nobody is
            # told of what was published elsewhere before it came here.
            late = article.imported or account.created_at > since
            if not late and not skips(article, account):
                wanted.append(
                    plan(account.outlet, Operation.POST, str(public), expires=since + lateness)
                )
        elif post.revision < article.revision:
            wanted.append(plan(account.outlet, Operation.EDIT, f"{public}.{article.revision}"))
    return wanted
