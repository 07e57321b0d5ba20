"""The state table: which act is possible in which status, who may do it, where it leads and what it tells."""

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
from shared.contracts.identity import Role


class Act(StrEnum):
    """What is done to an article; the audit log uses the same words."""

    CREATE = "create"
    IMPORT = "import"
    EDIT = "edit"
    RESTORE = "restore"
    DELETE = "delete"
    UNDELETE = "undelete"
    PURGE = "purge"
    SUBMIT = "submit"
    RETURN = "return"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    MISS = "miss"
    PUBLISH = "publish"
    CORRECT = "correct"
    UNPUBLISH = "unpublish"
    ASK_RETRACTION = "ask_retraction"
    DECLINE_RETRACTION = "decline_retraction"
    RETRACT = "retract"


@dataclass(frozen=True)
class Transition:
    """Where an act leads. `event` is None for what stays inside the newsroom."""

    to: Status | None
    """None: the article goes to the trash."""
    role: Role
    event: type[ArticleEvent] | None = None
    words: str | None = None
    """The field in which the person must say why; None where nobody has to."""
    own: bool = False
    """A contributor may do it too, to an article of their own."""


D, V, S = Status.DRAFT, Status.IN_REVIEW, Status.SCHEDULED
P, U, R = Status.PUBLISHED, Status.UNPUBLISHED, Status.RETRACTED
EDITOR, CHIEF = Role.EDITOR, Role.CHIEF

TABLE: dict[tuple[Act, Status], Transition] = {
    (Act.EDIT, D): Transition(D, EDITOR, own=True),
    (Act.EDIT, V): Transition(V, EDITOR),
    (Act.EDIT, S): Transition(S, EDITOR),
    (Act.EDIT, P): Transition(P, EDITOR),
    (Act.EDIT, U): Transition(U, EDITOR),
    (Act.DELETE, D): Transition(None, EDITOR, own=True),
    (Act.SUBMIT, D): Transition(V, EDITOR, own=True),
    (Act.SUBMIT, U): Transition(V, EDITOR),
    (Act.RETURN, V): Transition(D, EDITOR, words="note", own=True),
    (Act.SCHEDULE, D): Transition(S, EDITOR),
    (Act.SCHEDULE, V): Transition(S, EDITOR),
    (Act.SCHEDULE, S): Transition(S, EDITOR),
    (Act.SCHEDULE, U): Transition(S, EDITOR),
    (Act.UNSCHEDULE, S): Transition(D, EDITOR),
    (Act.MISS, S): Transition(D, Role.ADMIN),
    (Act.PUBLISH, D): Transition(P, EDITOR, ArticlePublished),
    (Act.PUBLISH, V): Transition(P, EDITOR, ArticlePublished),
    (Act.PUBLISH, S): Transition(P, EDITOR, ArticlePublished),
    (Act.PUBLISH, U): Transition(P, EDITOR, ArticlePublished),
    (Act.PUBLISH, P): Transition(P, EDITOR, ArticleUpdated),
    (Act.CORRECT, P): Transition(P, EDITOR, ArticleUpdated, words="text"),
    (Act.UNPUBLISH, P): Transition(U, EDITOR, ArticleUnpublished),
    (Act.ASK_RETRACTION, P): Transition(P, CHIEF, words="reason"),
    (Act.ASK_RETRACTION, U): Transition(U, CHIEF, words="reason"),
    (Act.DECLINE_RETRACTION, P): Transition(P, CHIEF),
    (Act.DECLINE_RETRACTION, U): Transition(U, CHIEF),
    (Act.RETRACT, P): Transition(R, CHIEF, ArticleRetracted, words="reason"),
    (Act.RETRACT, U): Transition(R, CHIEF, ArticleRetracted, words="reason"),
}
"""Nothing leads out of retracted: a notice to readers is never taken back in silence.

Where it says draft, an article that was public before becomes unpublished (`arrival`).
"""


def transition(act: Act, status: Status) -> Transition:
    """The table's answer. Raises `WrongStatus`."""
    found = TABLE.get((act, status))
    if found is None:
        raise WrongStatus(act.value, status)
    return found


def arrival(step: Transition, publications: int) -> Status:
    """The status after `step`: what readers have seen once is never a mere draft again."""
    if step.to is None:
        raise AssertionError("an article that is gone has no status")
    return U if step.to is D and publications else step.to


def may(act: Act, status: Status, role: Role, *, own: bool) -> bool:
    """Whether somebody of `role` may do this to an article that is theirs (`own`) or is not.

    Raises `WrongStatus` for what nobody may, to those who may do it at another time.
    """
    if role < min(step.role for (one, _), step in TABLE.items() if one is act):
        step = TABLE.get((act, status))
        return step is not None and own and step.own
    return role >= transition(act, status).role


def least_role(act: Act) -> Role:
    """The least role that can do this to any article at all."""
    steps = [step for (one, _), step in TABLE.items() if one is act]
    return min(Role.CONTRIBUTOR if step.own else step.role for step in steps)
