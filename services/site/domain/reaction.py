"""What people did with an article's posts, in the few words of its page. Never shows a nought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel import Locale
from babel.numbers import format_decimal

from services.site.domain.wording import Wording
from shared.contracts.outlets import Counts

NOBODY = Counts()
"""No post was read yet."""


@dataclass(frozen=True)
class Reaction:
    """The sums over all posts of an article. `version` grows with every reading that is kept."""

    counts: Counts = NOBODY
    version: int = 0


@dataclass(frozen=True)
class Tally:
    """One kind of reaction as printed."""

    label: str
    number: str


def tallies(counts: Counts, words: Wording, locale: Locale) -> Sequence[Tally]:
    """What readers did. How often a post was shown is left out: networks mean too different things by it."""
    kinds = (
        (words.likes, counts.likes),
        (words.reposts, counts.reposts),
        (words.quotes, counts.quotes),
        (words.shares, counts.shares),
        (words.replies, counts.replies),
    )
    return [
        Tally(label, format_decimal(number, locale=locale)) for label, number in kinds if number
    ]
