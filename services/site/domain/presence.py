"""Whether an article is on the site at a revision, and what that makes of the revision there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from shared.contracts.articles import Article, Status
from shared.contracts.outlets import Operation

OUTLET = "site"


class Presence(IntEnum):
    """What the article's address answers (RFC 9110)."""

    SHOWN = 200
    RETRACTED = 410
    ABSENT = 404


@dataclass(frozen=True)
class Mark:
    """The last thing done for an article on the site, and at which revision."""

    operation: Operation
    revision: int


def presence(article: Article) -> Presence:
    """A retracted article keeps its address for the notice; a skipped one never had it."""
    if OUTLET in article.skip_outlets:
        return Presence.ABSENT
    if article.status is Status.PUBLISHED:
        return Presence.SHOWN
    return Presence.RETRACTED if article.status is Status.RETRACTED else Presence.ABSENT


def operation(article: Article, mark: Mark | None) -> Operation | None:
    """What this revision does to the site; None when it does nothing. The same again when repeated."""
    if mark is not None and mark.revision == article.revision:
        return mark.operation
    listed = mark is not None and mark.operation is not Operation.REMOVE
    if presence(article) is Presence.SHOWN:
        return Operation.EDIT if listed else Operation.INCLUDE
    return Operation.REMOVE if listed else None
