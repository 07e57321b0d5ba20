"""Where two rows of tokens are equal: `difflib`, with a bound on its work and no worst case beyond it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

Run = tuple[int, int, int]
"""Where it begins in the one and in the other, and how many tokens it has."""
WORK = 3_000_000
"""Steps that all texts of one comparison may cost together; about a second of one processor."""
NARROW = 20_000
"""Looks at pairs of tokens up to which the longest run of a stretch is simply looked for."""


@dataclass
class Work:
    """The steps that are left."""

    left: int = WORK

    def spend(self, steps: int) -> bool:
        """Whether there were that many; only then are they taken."""
        if steps > self.left:
            return False
        self.left -= steps
        return True


def equal_runs(before: Sequence[str], after: Sequence[str], work: Work) -> Iterator[Run]:
    """Where equal runs begin in each, and how long they are; the widest stretches are tried first.

    `SequenceMatcher` alone is cubic on the worst texts. Here each look is paid for before it is
    taken, and a wide stretch is first cut at the tokens that either side has exactly once.
    """
    waiting = deque([(0, len(before), 0, len(after))])
    while waiting:
        low, high, low_after, high_after = waiting.popleft()
        one, other = before[low:high], after[low_after:high_after]
        head, tail = _ends(one, other)
        if head:
            yield low, low_after, head
        if tail:
            yield high - tail, high_after - tail, tail
        one, other = one[head : len(one) - tail], other[head : len(other) - tail]
        if not (one and other and work.spend(len(one) + len(other))):
            continue
        at, at_after = low + head, low_after + head
        for start, start_after, length in [*_runs(one, other, work), (len(one), len(other), 0)]:
            end, end_after = low + head + start, low_after + head + start_after
            if length:
                yield end, end_after, length
            if length or at > low + head:  # a stretch without a run is not tried again
                waiting.append((at, end, at_after, end_after))
            at, at_after = end + length, end_after + length


def _runs(one: Sequence[str], other: Sequence[str], work: Work) -> list[Run]:
    """Some equal runs of two stretches, in order on both sides."""
    matcher: Any = SequenceMatcher(None, one, other)  # typeshed does not know `b2j`
    looks = sum(len(matcher.b2j.get(token, ())) for token in one)
    if looks > NARROW and (anchors := _anchors(one, matcher.b2j)):
        return anchors
    found = matcher.find_longest_match() if work.spend(looks) else None
    return [(found.a, found.b, found.size)] if found and found.size else []


def _anchors(one: Sequence[str], places: dict[str, list[int]]) -> list[Run]:
    """The longest row of tokens that either side has once, in the same order on both."""
    counts = Counter(one)
    ends: list[int] = []
    """The least place at which a row of each length can end."""
    last: list[int] = []
    pairs: list[Run] = []
    for start, token in enumerate(one):
        if counts[token] > 1 or len(places.get(token, ())) != 1:
            continue
        place = places[token][0]
        length = bisect_left(ends, place)
        if length == len(ends):
            ends.append(place)
            last.append(len(pairs))
        else:
            ends[length], last[length] = place, len(pairs)
        pairs.append((start, place, last[length - 1] if length else -1))
    row: list[Run] = []
    at = last[-1] if last else -1
    while at >= 0:
        start, place, at = pairs[at]
        row.append((start, place, 1))
    return row[::-1]


def _ends(one: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """How many tokens are equal at the beginning, and of the others at the end."""
    head = _alike(zip(one, other, strict=False))
    rest = min(len(one), len(other)) - head
    return head, min(rest, _alike(zip(reversed(one), reversed(other), strict=False)))


def _alike(pairs: Iterable[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count
