"""Slugs: the last part of a public address, made from a headline. Always `[a-z0-9]` words joined by `-`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from services.publishing.domain.fields import SLUG_LENGTH

NUMBERED = 20
"""How many numbered candidates are offered before one that cannot collide."""

# Letters that Unicode does not decompose (NFKD) but every newsroom writes so.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ħ": "h"}
    | dict.fromkeys("'’‘ʼ`´", "")
)


def slug_from(headline: str, article_id: str) -> str:
    """The headline in ASCII words; `article-` and 8 hex digits of the id where it has none."""
    text = unicodedata.normalize("NFKD", headline.casefold().translate(_LETTERS))
    words = re.findall(r"[a-z0-9]+", text.encode("ascii", "ignore").decode().casefold())
    return _cut("-".join(words), SLUG_LENGTH) or f"article-{_tail(article_id)}"


def candidates(base: str, article_id: str) -> Iterator[str]:
    """The slugs to try in order: `base`, `base-2` ... and at last one with 8 hex digits of the id."""
    yield base
    for number in range(2, NUMBERED + 1):
        yield _suffixed(base, str(number))
    yield _suffixed(base, _tail(article_id))


def _suffixed(base: str, suffix: str) -> str:
    return f"{_cut(base, SLUG_LENGTH - len(suffix) - 1)}-{suffix}"


def _tail(article_id: str) -> str:
    # The head of a UUIDv7 is the time; its tail is random.
    return article_id.replace("-", "")[-8:]


def _cut(slug: str, length: int) -> str:
    """At most `length` characters, at a word's end where there is one."""
    if len(slug) <= length:
        return slug
    head, _, _ = slug[: length + 1].rpartition("-")
    return head or slug[:length]
