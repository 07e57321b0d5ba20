"""The acts that readers do not see: review, schedule, and the wish to retract. Pure, like `acts`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.publishing.domain.acts import Decision, complete, retract
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.errors import Conflict, NotAllowed
from services.publishing.domain.standing import (
    Missed,
    RetractionRequest,
    Review,
    Schedule,
    Signed,
)
from services.publishing.domain.states import Act, arrival, transition


def submit(copy: WorkingCopy, by: Signed) -> Decision:
    """Hand it to the reviewers. Raises `WrongStatus`."""
    return _arranged(Act.SUBMIT, copy, by.at, review=Review(by.by, by.by_name, by.at))


def give_back(copy: WorkingCopy, by: Signed, note: str) -> Decision:
    """Return it to its author with a note. Raises `WrongStatus`."""
    review = Review(by.by, by.by_name, by.at, note)
    return _arranged(Act.RETURN, copy, by.at, {"note": note}, review=review)


def schedule(copy: WorkingCopy, planned: Schedule) -> Decision:
    """Have it published at an instant; again replaces the instant.

    Raises `WrongStatus`, `Invalid` for what is missing, `Conflict` before the embargo ends.
    """
    transition(Act.SCHEDULE, copy.status)
    complete(copy)
    until = copy.content.embargo_until
    if until is not None and planned.due < until:
        raise Conflict("at", f"the embargo ends only at {until.isoformat()}")
    detail = {"due": planned.due, "latest": planned.latest}
    return _arranged(Act.SCHEDULE, copy, planned.at, detail, schedule=planned, missed=None)


def unschedule(copy: WorkingCopy, now: datetime) -> Decision:
    """Take the schedule off. Raises `WrongStatus`."""
    return _arranged(Act.UNSCHEDULE, copy, now, schedule=None)


def miss(copy: WorkingCopy, now: datetime, reason: str) -> Decision:
    """Give up a schedule that can no longer come true. Raises `WrongStatus`."""
    plan = copy.standing.schedule
    if plan is None:
        raise AssertionError("nothing is scheduled without a schedule")
    detail = {"due": plan.due, "reason": reason}
    missed = Missed(plan.due, now, reason)
    return _arranged(Act.MISS, copy, now, detail, schedule=None, missed=missed)


def ask_retraction(copy: WorkingCopy, by: Signed, reason: str) -> Decision:
    """Ask a second person to retract it. Raises `WrongStatus`, or `Conflict` where somebody asked."""
    transition(Act.ASK_RETRACTION, copy.status)
    if (open_one := copy.standing.retraction_request) is not None:
        raise Conflict(
            "retraction_request",
            f"{open_one.by_name} has asked already; confirm or decline it",
        )
    request = RetractionRequest(by.by, by.by_name, by.at, reason)
    detail = {"reason": reason}
    return _arranged(Act.ASK_RETRACTION, copy, by.at, detail, retraction_request=request)


def decline_retraction(copy: WorkingCopy, now: datetime) -> Decision:
    """Let the article stand. Raises `WrongStatus`, or `Conflict` where nobody asked."""
    transition(Act.DECLINE_RETRACTION, copy.status)
    _asked(copy)
    return _arranged(Act.DECLINE_RETRACTION, copy, now, retraction_request=None)


def confirm_retraction(copy: WorkingCopy, by: Signed) -> Decision:
    """Retract as somebody else asked. Raises `WrongStatus`, `Conflict` or `NotAllowed`."""
    transition(Act.RETRACT, copy.status)
    request = _asked(copy)
    if request.by == by.by:
        raise NotAllowed("a second person must confirm a retraction; you asked for it")
    decision = retract(copy, by.at, request.reason)
    return replace(decision, detail={**decision.detail, "asked_by": request.by})


def _asked(copy: WorkingCopy) -> RetractionRequest:
    if copy.standing.retraction_request is None:
        raise Conflict("retraction_request", "nobody has asked for a retraction")
    return copy.standing.retraction_request


def _arranged(
    act: Act,
    copy: WorkingCopy,
    now: datetime,
    detail: dict[str, Any] | None = None,
    **arranged: Any,
) -> Decision:
    """An act that readers do not see: the next status, and what is arranged around the article."""
    status = arrival(transition(act, copy.status), copy.publication)
    after = replace(
        copy,
        status=status,
        revision=copy.revision + 1,
        updated_at=now,
        standing=replace(copy.standing, **arranged),
    )
    return Decision(act, after, None, detail or {})
