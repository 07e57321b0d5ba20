"""What somebody is typing, kept apart from the article until they save it. Never seen by anybody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from services.publishing.domain.content import Content
from services.publishing.domain.fields import Written
from services.publishing.domain.locks import Session

KEPT = timedelta(days=30)
GONE_FOR = timedelta(days=1)
"""How long it is known that one was saved or dropped, so that a request on its way cannot bring it back."""
LISTED = 20

Number = Annotated[int, Field(ge=0, lt=10**15)]


def _known(name: str) -> str:
    if name not in Content.model_fields:
        raise ValueError("there is no such field")
    return name


class AutosaveText(Written):
    """Keystrokes of one page. `seq` grows with each; `base_revision` is what the page was opened with.

    Values are taken as they are, half typed and wrong ones too; only saving holds them to the rules.
    """

    session: Session
    base_revision: Number
    seq: Number
    content: dict[Annotated[str, AfterValidator(_known)], Any]


@dataclass(frozen=True)
class Autosave:
    """The newest keystrokes of one page on one article."""

    article_id: str
    person: str
    session: str
    seq: int
    base_revision: int
    content: dict[str, Any] | None
    """None: saved or dropped; only its number is kept."""
    saved_at: datetime
