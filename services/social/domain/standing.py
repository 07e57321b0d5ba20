"""How an account stands with its network: budgets, breaker and money, in one document for all replicas. Pure.

Every step takes the standing and gives the next one, so that a store can apply it in one conditional write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.social.domain import breaker, budgets, spending
from services.social.domain.breaker import Breaker
from services.social.domain.budgets import Budget
from services.social.domain.spending import FREE, Price, Spend
from shared.contracts.outlets import Operation
from shared.delivery.model import BREAKING, Delivery
from shared.delivery.outside import Hold


class Standing(BaseModel):
    """Empty where the network has told nothing and everything works."""

    model_config = ConfigDict(frozen=True)

    budgets: dict[str, Budget] = {}
    """By operation: networks count posts, edits and deletions apart."""
    breaker: Breaker | None = None
    spend: Spend | None = None


@dataclass(frozen=True)
class Ask:
    """One call that a delivery would make on its account."""

    delivery_id: str
    operation: Operation
    express: bool
    price: Price = FREE

    @classmethod
    def of(cls, delivery: Delivery, price: Price = FREE) -> Ask:
        return cls(delivery.id, delivery.operation, delivery.priority == BREAKING, price)


@dataclass(frozen=True)
class Notice:
    """What an operator must hear of, once."""

    kind: str
    severity: Literal["warning", "critical"]
    title: str
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What came of a call: the network's budget if it told one, and its failure if it was one."""

    told: Budget | None = None
    failure: str | None = None
    """The network, or the way to it, does not work just now."""
    ours: bool = False
    """It failed on our own side, which says nothing of the network."""
    in_vain: bool = False
    """It certainly changed nothing, so it cost nothing."""


def foreseen(standing: Standing, ask: Ask, now: datetime) -> Hold | None:
    """Whether it is of use to begin: what `begin` would hold anyway, but changes nothing."""
    return breaker.hold(standing.breaker, now, express=ask.express) or budgets.hold(
        standing.budgets.get(ask.operation.value), now, express=ask.express
    )


def begin(
    standing: Standing, ask: Ask, now: datetime
) -> tuple[Standing, Hold | None, Notice | None]:
    """Take what the call needs, or say why it waits."""
    held = foreseen(standing, ask, now)
    if held:
        return standing, held, None
    spend = spending.of_month(standing.spend, now)
    # What must come down is never too dear.
    if ask.operation is not Operation.DELETE:
        held = spending.hold(spend, ask.price, now, express=ask.express)
    if ask.price.micros:
        spend = (
            spend.model_copy(update={"limit": ask.price.limit})
            if held
            else spending.charged(spend, ask.price)
        )
    percent = spending.reached(spend, held=held is not None)
    notice = _money(spend, percent) if percent else None
    if percent:
        spend = spend.model_copy(update={"told": percent})
    changes: dict[str, object] = {"spend": spend if ask.price.micros else standing.spend}
    if held is None:
        budget = budgets.taken(standing.budgets.get(ask.operation.value), now)
        if budget:
            changes["budgets"] = {**standing.budgets, ask.operation.value: budget}
        changes["breaker"] = breaker.begun(standing.breaker, ask.delivery_id, now)
    return standing.model_copy(update=changes), held, notice


def end(
    standing: Standing, ask: Ask, outcome: Outcome, now: datetime
) -> tuple[Standing, Notice | None]:
    """What is known after the call."""
    changes: dict[str, object] = {}
    if outcome.told:
        name = ask.operation.value
        budget = budgets.merged(standing.budgets.get(name), outcome.told)
        changes["budgets"] = {**standing.budgets, name: budget}
    if outcome.in_vain:
        changes["spend"] = spending.refunded(standing.spend, ask.price, now)
    notice = None
    after = standing.breaker if outcome.ours else None
    if outcome.failure:
        before = standing.breaker
        after = breaker.failed(before, ask.delivery_id, outcome.failure, now)
        if after.openings == 1 and (before is None or before.openings == 0):
            notice = _opened(after)
    changes["breaker"] = after
    return standing.model_copy(update=changes), notice


def _opened(after: Breaker) -> Notice:
    return Notice(
        "breaker-open",
        "critical",
        "stopped posting because its network fails",
        f"{breaker.FAILURES} deliveries in a row failed, the last with: {after.reason}. One post at a "
        "time tries it out again, after at most 15 minutes; resuming the account tries it out now.",
    )


def _money(spend: Spend, percent: int) -> Notice:
    spent, limit = spending.usd(spend.micros), spending.usd(spend.limit or 0)
    if percent < 100:
        return Notice(
            f"cost-{percent}:{spend.month}",
            "warning",
            f"has spent {percent} % of its monthly limit",
            f"{spent} of {limit} are spent in {spend.month}. The last tenth is kept for breaking news.",
        )
    return Notice(
        f"cost-{percent}:{spend.month}",
        "critical",
        "has reached its monthly limit",
        f"{spent} of {limit} are spent in {spend.month}. Posts wait until the month ends or the limit "
        "is raised; deletions do not wait.",
    )
