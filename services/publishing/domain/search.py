"""The words an article is found by on the desk: case, accents and punctuation do not matter. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MOST = 200
"""Words kept of one article; a headline, a standfirst and the tags have far fewer."""
LONGEST = 40
_WORD = re.compile(r"\w+")
# Scripts written without spaces: found by each pair of letters that stand side by side.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")


def words(texts: Iterable[str]) -> list[str]:
    """Sorted, each once, at most `MOST`."""
    found: set[str] = set()
    for text in texts:
        found.update(_split(text))
    return sorted(found)[:MOST]


def _split(text: str) -> Iterable[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    for word in _WORD.findall(plain):
        run = _UNSPACED.fullmatch(word)
        if run and len(word) > 1:
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        else:
            yield word[:LONGEST]
