"""Cuts a text to a network's limit at a sentence, else a word, else a character as people see it.

Never cuts inside a link, a mention, a hashtag or a grapheme, and never changes a text that fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import regex

ELLIPSIS = "…"
ENOUGH = 0.5
"""A nicer cut (sentence before word before grapheme) is taken when it keeps this share of what fits."""

DEFAULT: tuple[re.Pattern[str], ...] = (
    regex.compile(r"https?://[^\s<>\"「」『』、。]+", regex.IGNORECASE),
    regex.compile(r"@[\w\p{M}](?:[\w\p{M}.@\u200c\u200d-]*[\w\p{M}])?"),
    regex.compile(r"[#＃][\w\p{M}\u200c\u200d]+"),
)
"""Links, mentions (`@name`, `@name@host`) and hashtags in any script."""

# Full stops of Latin, Greek, Arabic, Urdu, Devanagari and CJK text, with closing quotes. CJK has no spaces.
_SENTENCE_END = regex.compile(
    # Only from where a run of stops begins, and never back into it: else a page of dots takes seconds.
    r"(?<![.!?…؟۔।])[.!?…؟۔।]++[\"'”’»)\]]*+(?=\s)|[。！？]+[」』）”]*|(?<=\S)(?=\s*\n)",
)
_WEAK_TAIL = frozenset(",;:-–—(/")
"""What must not stand before the ellipsis."""


@dataclass(frozen=True)
class _Cuts:
    sentence: list[int]
    word: list[int]
    grapheme: list[int]
    """Offsets where the kept part may end, ascending; each list contains the ones before it."""
    spaced: frozenset[int]
    """Offsets at which the ellipsis needs a space, because it would run into a link or a full stop."""


def fit(
    text: str,
    limit: int,
    length: Callable[[str], int],
    *,
    protect: Sequence[re.Pattern[str]] = DEFAULT,
) -> str:
    """`text` unchanged when `length(text) <= limit`, else its beginning and "…".

    `length` counts as the network counts and may count a link shorter than it is, so every result is
    measured whole. The result always satisfies `length(result) <= limit`; it is "" when not even the
    ellipsis fits.
    """
    if length(text) <= limit:
        return text
    if length(ELLIPSIS) > limit:
        return ""
    cuts = _cuts(text, protect)

    def ended(cut: int) -> str:
        if not cut:
            return ELLIPSIS
        return text[:cut] + (f" {ELLIPSIS}" if cut in cuts.spaced else ELLIPSIS)

    def longest(offsets: list[int]) -> int:
        low, high = 0, len(offsets)
        while low < high:
            middle = (low + high) // 2
            if length(ended(offsets[middle])) <= limit:
                low = middle + 1
            else:
                high = middle
        # The count may not grow evenly (a link counts as 23), so what was found is measured again.
        for index in range(low - 1, -1, -1):
            if length(ended(offsets[index])) <= limit:
                return offsets[index]
        return 0

    most = longest(cuts.grapheme)
    for offsets in (cuts.sentence, cuts.word):
        cut = longest(offsets)
        if cut and cut >= most * ENOUGH:
            return ended(cut)
    return ended(most)


def _cuts(text: str, protect: Sequence[re.Pattern[str]]) -> _Cuts:
    spans = [found.span() for pattern in protect for found in pattern.finditer(text)]
    inside = {offset for start, end in spans for offset in range(start + 1, end)}
    bounds = [found.end() for found in regex.finditer(r"\X", text)]
    graphemes: list[int] = []
    words: list[int] = []
    start = 0
    for end in bounds:
        cluster = text[start:end]
        if cluster.isspace():
            if graphemes and graphemes[-1] == start:
                words.append(start)
        elif end not in inside and cluster not in _WEAK_TAIL:
            graphemes.append(end)
        start = end
    stops = {found.end() for found in _SENTENCE_END.finditer(text)}
    sentences = [offset for offset in graphemes if offset in stops]
    return _Cuts(
        sentence=sentences,
        word=sorted({*sentences, *words}),
        grapheme=graphemes,
        spaced=frozenset(stops | {end for _, end in spans}),
    )
