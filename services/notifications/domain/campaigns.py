"""Which mails an article's snapshot asks for, and what a campaign's deliveries add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.articles import Article, Status
from shared.contracts.outlets import DeliveryState, Operation, OutletLine

OUTLET = "email"
ALERTS = "alerts"
LISTS = (ALERTS,)
"""The lists a person can be on."""
CONFIRMATION, OPERATOR = "confirmation", "operator"
"""Mails that belong to no campaign: the sign-up's question, and operator alerts."""


class Kind(StrEnum):
    """Why subscribers are written to."""

    ALERT = "alert"
    CORRECTION = "correction"
    RETRACTION = "retraction"


class Decision(StrEnum):
    """What was decided when the article was first seen; never decided again."""

    SEND = "send"
    SKIPPED = "skipped"
    MISSED = "missed"


@dataclass(frozen=True)
class Tally:
    """What a campaign's deliveries add up to."""

    state: DeliveryState
    recipients: int
    milliseconds: int | None
    reason: str | None


@dataclass(frozen=True)
class Campaign:
    """One mailing about one article. `number` is the publication, or the correction's place."""

    article_id: str
    kind: Kind
    number: int
    decision: Decision
    publication: int
    revision: int
    headline: str
    corrections: int
    """Corrections the article had when the campaign was decided."""
    acted_at: datetime
    cut_at: datetime
    """Who confirmed later than this is not written to."""
    created_at: datetime
    tally: Tally
    planned: bool = False
    """Every recipient's delivery is entered; before that the sum means nothing."""
    sequence: int = 1

    @property
    def id(self) -> str:
        return f"{self.article_id}:{self.kind.value}:{self.number}"

    def line(self) -> OutletLine | None:
        """The campaign on the fan-out board; None where the editor left e-mail out."""
        if self.decision is Decision.SKIPPED:
            return None
        return OutletLine(
            outlet=OUTLET,
            delivery=self.id,
            operation=Operation.SEND,
            state=self.tally.state,
            sequence=self.sequence,
            revision=self.revision,
            reason=self.tally.reason,
            milliseconds=self.tally.milliseconds,
            recipients=self.tally.recipients,
        )


def since(article: Article, acted_at: datetime) -> datetime:
    """When this publication began: `published_at` stays that of the first one."""
    if article.publication == 1 and article.published_at:
        return article.published_at
    return acted_at


def wanted(
    article: Article,
    acted_at: datetime,
    existing: Sequence[Campaign],
    now: datetime,
    lateness: timedelta,
) -> list[Campaign]:
    """The campaigns this snapshot asks for and that do not exist yet.

    Compares the snapshot with what exists instead of trusting the event's type, so a lost, repeated
    or re-ordered event leads to the same mails. What an alert already said is not corrected again.
    """
    known = {campaign.id for campaign in existing}
    begun = since(article, acted_at)

    def campaign(kind: Kind, number: int, decision: Decision) -> Campaign:
        state = DeliveryState.MISSED if decision is Decision.MISSED else DeliveryState.WAITING
        reason = "published too long ago for an alert" if decision is Decision.MISSED else None
        return Campaign(
            article_id=article.id,
            kind=kind,
            number=number,
            decision=decision,
            publication=article.publication,
            revision=article.revision,
            headline=article.headline,
            corrections=len(article.corrections),
            acted_at=acted_at,
            cut_at=begun,
            created_at=now,
            tally=Tally(state, 0, None, reason),
            planned=decision is not Decision.SEND,
        )

    found: list[Campaign] = []
    alerts = [one for one in existing if one.kind is Kind.ALERT and one.decision is Decision.SEND]
    if article.imported:
        return []  # it was published elsewhere before it came here: nobody here was ever told
    if article.status is Status.PUBLISHED:
        decision = Decision.SEND
        if OUTLET in article.skip_outlets:
            decision = Decision.SKIPPED
        elif now - begun > lateness:
            decision = Decision.MISSED
        found.append(campaign(Kind.ALERT, article.publication, decision))
        if alerts:
            told = min(alert.corrections for alert in alerts)
            found += [
                campaign(Kind.CORRECTION, number, Decision.SEND)
                for number in range(told + 1, len(article.corrections) + 1)
            ]
    elif article.status is Status.RETRACTED and alerts:
        found.append(campaign(Kind.RETRACTION, 1, Decision.SEND))
    return [one for one in found if one.id not in known]


def tallied(counts: Mapping[DeliveryState, int], milliseconds: int | None) -> Tally:
    """One state for many deliveries: still going, in doubt, or what most of the end says.

    `milliseconds` is the time of the last confirmation so far.
    """
    counts = {state: count for state, count in counts.items() if count}
    total = sum(counts.values())
    unknown = counts.get(DeliveryState.UNKNOWN, 0)
    ended = {state: count for state, count in counts.items() if state.final}
    if total and sum(ended.values()) + unknown < total:
        return Tally(DeliveryState.WAITING, total, None, None)
    if unknown:
        reason = f"of {unknown} of {total} mails it is unknown whether they were taken"
        return Tally(DeliveryState.UNKNOWN, total, milliseconds, reason)
    if len(ended) == 1:
        return Tally(next(iter(ended)), total, milliseconds, None)
    if not ended:
        return Tally(DeliveryState.CONFIRMED, 0, milliseconds, None)
    parts = ", ".join(f"{count} {state.value}" for state, count in sorted(ended.items()))
    confirmed = DeliveryState.CONFIRMED in ended
    state = DeliveryState.CONFIRMED if confirmed else DeliveryState.FAILED
    return Tally(state, total, milliseconds, f"of {total} mails: {parts}")
