"""How services tell publishing what became of an article at each outlet."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Contract, EventData, Instant


class Operation(StrEnum):
    """What is done to an outlet: posts are posted, edited, deleted; pages included, removed; mail sent."""

    POST = "post"
    EDIT = "edit"
    DELETE = "delete"
    INCLUDE = "include"
    REMOVE = "remove"
    SEND = "send"


class DeliveryState(StrEnum):
    """The states of an outside effect (DESIGN, the delivery ledger)."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    ARMED = "armed"
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    FAILED = "failed"
    MISSED = "missed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True when nothing more will happen by itself and nothing is in doubt."""
        return self in {self.CONFIRMED, self.FAILED, self.MISSED, self.CANCELLED}


class OutletLine(Contract):
    """One line of the fan-out board: where one operation on one outlet stands."""

    outlet: str
    """`site`, `news_sitemap`, `feed`, `social/<channel>/<account>`, `email`, `webhook/<name>`."""
    delivery: str
    """Key of the line; of two lines with one key the higher `sequence` is the truth."""
    operation: Operation
    state: DeliveryState
    sequence: int = Field(ge=0)
    revision: int = Field(ge=1)
    """The revision whose change this operation carries."""
    url: str | None = None
    reason: str | None = None
    attempts: int = 0
    due_at: Instant | None = None
    milliseconds: int | None = None
    """From the editor's act to the confirmed effect."""
    task: Literal[True] | None = None
    """The line stands until a person has done what `reason` says, or cancels it."""
    recipients: int | None = None
    """How many people stand behind this line, where it is more than one place (mail)."""


Count = Annotated[int, Field(ge=0)]


class Counts(Contract):
    """The public's reaction to one post, as far as its network names it; what it does not name is None."""

    likes: Count | None = None
    """Likes, favourites, and reactions of every kind."""
    reposts: Count | None = None
    replies: Count | None = None
    """Replies, or comments."""
    quotes: Count | None = None
    shares: Count | None = None
    """Passed on, where the network does not tell a repost from a message to a friend."""
    saves: Count | None = None
    """Bookmarks."""
    views: Count | None = None
    """Times shown; one person can be many of them."""
    reach: Count | None = None
    """People it was shown to."""
    clicks: Count | None = None


def total(each: Iterable[Counts]) -> Counts:
    """The sums over several posts; what no network names stays untold."""
    sums: dict[str, int] = {}
    for counts in each:
        for name, value in counts.model_dump(exclude_none=True).items():
            sums[name] = sums.get(name, 0) + value
    return Counts(**sums)


class OutletFigures(Contract):
    """How the post of one line is doing. Of two with one `delivery` the later `at` is the truth.

    They follow no `sequence`: reading them changes nothing about what was delivered.
    """

    outlet: str
    delivery: str
    """Key of the line that made the post."""
    at: Instant
    """When the network was asked."""
    counts: Counts = Counts()
    """The last that were read; of a post that is gone, those from before."""
    gone: bool = False
    """The network no longer has the post, and nobody here removed it."""


class OutletReported(EventData):
    """One service's word on one article: these lines stand so, and unless `partial` that is all of them.

    `figures` says only how the posts it names are doing.
    """

    TYPE: ClassVar[str] = "outlet.reported"

    service: str
    article_id: str
    revision: int = Field(ge=1)
    partial: bool = False
    """True where only these lines have changed: it does not say that `revision` is applied."""
    lines: tuple[OutletLine, ...] = ()
    figures: tuple[OutletFigures, ...] = ()
    at: Instant


class OperatorAlert(EventData):
    """Something a person must look at. `fingerprint` groups repeats."""

    TYPE: ClassVar[str] = "operator.alert"

    severity: Literal["info", "warning", "critical"]
    fingerprint: str
    title: str
    detail: str
    article_id: str | None = None
    at: Instant
