"""What an act would tell the world now, also of an article that cannot go out yet. Pure; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.publishing.domain import acts
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content, CorrectionText
from services.publishing.domain.errors import Conflict, Invalid
from services.publishing.domain.fields import Text, Written
from shared.contracts.articles import Article


class PreviewText(Written):
    """What to preview: an act on the article as it is, or with `changes` that are not saved yet."""

    act: Literal["publish", "correct", "retract", "unpublish"] = "publish"
    changes: Content | None = None
    """Fields as a PATCH takes them."""
    correction: CorrectionText | None = None
    """The notice of `correct`."""
    reason: Annotated[Text, Field(min_length=1, max_length=2000)] | None = None
    """The words of `retract`."""


@dataclass(frozen=True)
class Foreseen:
    """The snapshot of the act's event. `blocking` is what would stand in its way now, by field."""

    article: Article
    blocking: dict[str, str]


def foresee(copy: WorkingCopy, wanted: PreviewText, now: datetime, public_url: str) -> Foreseen:
    """The act, as if nothing were missing.

    Raises `WrongStatus` where the state table has no such act, `Invalid` for words that the act
    needs or cannot use.
    """
    _belongs("correction", wanted.correction, to="correct", act=wanted.act)
    _belongs("reason", wanted.reason, to="retract", act=wanted.act)
    blocking: dict[str, str] = {}
    if wanted.correction is not None:
        notice = wanted.correction
        decision = acts.corrected(copy, now, public_url, notice)
        blocking = _refusal(lambda: acts.correct(copy, now, public_url, notice))
    elif wanted.reason is not None:
        decision = acts.retract(copy, now, wanted.reason)
    elif wanted.act == "unpublish":
        decision = acts.unpublish(copy, now)
    else:
        decision = acts.published(copy, now, public_url)
        blocking = _refusal(lambda: acts.publish(copy, now, public_url))
    if decision.event is None:
        raise AssertionError("every act that can be previewed is public")
    return Foreseen(decision.event.article, blocking)


def _belongs(field: str, given: object, *, to: str, act: str) -> None:
    if act == to and given is None:
        raise Invalid({field: f"is needed to preview the act {to}"})
    if act != to and given is not None:
        raise Invalid({field: f"belongs to the act {to}; this is a preview of {act}"})


def _refusal(act: Callable[[], object]) -> dict[str, str]:
    """What the act itself would say no with; empty where it would be done."""
    try:
        act()
    except Invalid as error:
        return error.fields
    except Conflict as error:
        return {error.field: str(error)}
    return {}
