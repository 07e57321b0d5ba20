"""What a snapshot would lead to on each account, from the very plans it asks for. Pure; enters nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.social.domain.planning import Account, plans, skips
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import Operation
from shared.delivery.model import PENDING, Delivery, Document, Plan
from shared.delivery.outside import Drop
from shared.delivery.thread import continued


@dataclass(frozen=True)
class Step:
    """What would happen on one outlet."""

    outlet: str
    operation: Operation | None
    """None where nothing would happen; `reason` says why."""
    key: str | None = None
    """The id of the delivery that does it; None where what it says is not known yet."""
    previous: Document | None = None
    """The result that an edit or a deletion goes on from."""
    reason: str | None = None
    publication: int = 0
    """Whose post an edit or a deletion is about."""


def steps(
    article: Article,
    now: datetime,
    accounts: Iterable[Account],
    existing: Sequence[Delivery],
    lateness: timedelta,
) -> list[Step]:
    """One step for each plan, and one for each account that gets none."""
    known = list(accounts)
    wanted = plans(article, now, known, existing, lateness=lateness, traceparent=None)
    found = [_step(plan, article, existing, now) for plan in wanted]
    planned = {step.outlet for step in found}
    idle = [account for account in known if account.outlet not in planned]
    return found + [
        Step(account.outlet, None, reason=_why_not(article, account, existing)) for account in idle
    ]


def _step(plan: Plan, article: Article, existing: Sequence[Delivery], now: datetime) -> Step:
    if plan.operation is Operation.POST:
        return _post(plan.outlet, plan.id, plan.expires_at, now)
    earlier = [
        one
        for one in existing
        if one.thread == plan.thread
        and one.revision < plan.revision
        and not _overtaken(one, article)
    ]
    found = continued(plan.operation, plan.revision, earlier)
    if isinstance(found, Drop):
        return Step(plan.outlet, None, reason=found.reason)
    if found is not None:
        return Step(plan.outlet, plan.operation, plan.id, found, publication=plan.publication)
    for one in earlier:
        if one.operation is Operation.POST and one.state.value in PENDING:
            # What has not begun is composed from the newest snapshot, and so carries this change.
            return _post(one.outlet, one.id, one.expires_at, now)
    return Step(plan.outlet, plan.operation, reason="what came before is still under way here")


def _post(outlet: str, key: str, expires_at: datetime | None, now: datetime) -> Step:
    if expires_at is not None and now > expires_at:
        return Step(outlet, None, reason="too late: past its limit")
    return Step(outlet, Operation.POST, key)


def _overtaken(delivery: Delivery, article: Article) -> bool:
    """Whether the snapshot cancels what has not begun."""
    if delivery.state.value not in PENDING:
        return False
    if article.status is Status.PUBLISHED:
        return delivery.operation is Operation.EDIT
    return delivery.operation is not Operation.DELETE


def _why_not(article: Article, account: Account, existing: Sequence[Delivery]) -> str:
    posted = any(
        one.outlet == account.outlet
        and one.operation is Operation.POST
        and one.publication == article.publication
        for one in existing
    )
    if article.status is not Status.PUBLISHED:
        return "nothing was posted here"
    if posted:
        return "nothing to change here"
    if article.imported:
        return "it was published elsewhere before it came here"
    if skips(article, account):
        return "left out by the editor"
    return "the account was connected after the article was published"
