"""The state table: which act is possible in which status, where it leads and what it tells the world."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.publishing.domain.errors import WrongStatus
from shared.contracts.articles import (
    ArticleEvent,
    ArticlePublished,
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
    Status,
)


class Act(StrEnum):
    """What people do to an article; the audit log uses the same words."""

    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    PUBLISH = "publish"
    CORRECT = "correct"
    RETRACT = "retract"
    UNPUBLISH = "unpublish"


@dataclass(frozen=True)
class Transition:
    """Where an act leads. `event` is None for what stays inside the newsroom."""

    to: Status | None
    """None: the article is gone."""
    event: type[ArticleEvent] | None = None


D, P, U, R = Status.DRAFT, Status.PUBLISHED, Status.UNPUBLISHED, Status.RETRACTED

TABLE: dict[tuple[Act, Status], Transition] = {
    (Act.EDIT, D): Transition(D),
    (Act.EDIT, P): Transition(P),
    (Act.EDIT, U): Transition(U),
    (Act.DELETE, D): Transition(None),
    (Act.PUBLISH, D): Transition(P, ArticlePublished),
    (Act.PUBLISH, U): Transition(P, ArticlePublished),
    (Act.PUBLISH, P): Transition(P, ArticleUpdated),
    (Act.CORRECT, P): Transition(P, ArticleUpdated),
    (Act.UNPUBLISH, P): Transition(U, ArticleUnpublished),
    (Act.RETRACT, P): Transition(R, ArticleRetracted),
    (Act.RETRACT, U): Transition(R, ArticleRetracted),
}
"""Nothing leads out of retracted: a notice to readers is never taken back in silence."""


def transition(act: Act, status: Status) -> Transition:
    """The table's answer. Raises `WrongStatus`."""
    found = TABLE.get((act, status))
    if found is None:
        raise WrongStatus(act.value, status)
    return found
