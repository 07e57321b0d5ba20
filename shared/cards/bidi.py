"""In which order text of both directions is drawn: the Unicode bidirectional algorithm (UAX #9).

For one paragraph without explicit controls: those are taken out of a card's words beforehand.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_NEUTRAL = {"B", "S", "WS", "ON"}
_PAIRS = "()[]{}⟨⟩〈〉《》「」『』【】〔〕（）［］｛｝⁅⁆❨❩❪❫⦅⦆"
_CLOSING = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_MOST_OPEN = 63
"""BD16: with more brackets open than this no pair is looked for."""


def levels(text: str, base: int) -> list[int]:
    """The embedding level of each character; `base` is 0 from the left and 1 from the right."""
    side = "R" if base % 2 else "L"
    types = [unicodedata.bidirectional(one) or "L" for one in text]
    _marks(types, side)
    _numbers(types, side)
    _brackets(text, types, side)
    _neutrals(types, side)
    found = [_level(base, one) for one in types]
    for at in range(len(text) - 1, -1, -1):  # L1: spaces at the end of the line go to its end
        if unicodedata.bidirectional(text[at]) not in {"WS", "S", "B"}:
            break
        found[at] = base
    return found


def visual(runs: Sequence[T], run_levels: Sequence[int]) -> list[T]:
    """Runs of one level each, as they stand from left to right (L2)."""
    order = list(range(len(runs)))
    highest = max(run_levels, default=0)
    lowest_odd = min((level for level in run_levels if level % 2), default=highest + 1)
    for level in range(highest, lowest_odd - 1, -1):
        at = 0
        while at < len(order):
            end = at
            while end < len(order) and run_levels[order[end]] >= level:
                end += 1
            order[at:end] = reversed(order[at:end])
            at = max(end, at + 1)
    return [runs[number] for number in order]


def _marks(types: list[str], side: str) -> None:
    """W1, and joiners, which take no part in the order, likewise (5.2)."""
    before = side
    for at, kind in enumerate(types):
        if kind in {"NSM", "BN"}:
            types[at] = before
        before = types[at]


def _numbers(types: list[str], side: str) -> None:
    """W2 to W7."""
    strong = side
    for at, kind in enumerate(types):
        if kind in {"L", "R", "AL"}:
            strong = kind
        elif kind == "EN" and strong == "AL":
            types[at] = "AN"
    types[:] = ["R" if kind == "AL" else kind for kind in types]
    for at in range(1, len(types) - 1):
        before, kind, after = types[at - 1 : at + 2]
        if (before == after == "EN" and kind in {"ES", "CS"}) or (
            before == after == "AN" and kind == "CS"
        ):
            types[at] = before
    at = 0
    while at < len(types):
        end = at
        while end < len(types) and types[end] == "ET":
            end += 1
        if "EN" in types[max(at - 1, 0) : at] + types[end : end + 1]:
            types[at:end] = ["EN"] * (end - at)
        at = max(end, at + 1)
    strong = side
    for at, kind in enumerate(types):
        if kind in {"ET", "ES", "CS"}:
            types[at] = "ON"
        elif kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":
            types[at] = "L"


def _brackets(text: str, types: list[str], side: str) -> None:
    """N0: a pair goes with the side of what it encloses."""
    taken: str | None
    for opening, closing in _pairs(text, types):
        inside = {_side(kind) for kind in types[opening + 1 : closing]} - {None}
        if side in inside:
            taken = side
        elif inside:
            before = next(
                (found for kind in reversed(types[:opening]) if (found := _side(kind))), side
            )
            taken = next(iter(inside)) if before in inside else side
        else:
            continue
        for at in (opening, closing):
            types[at] = taken or side
            # Marks on a bracket go where it goes.
            after = at + 1
            while after < len(text) and unicodedata.bidirectional(text[after]) == "NSM":
                types[after] = types[at]
                after += 1


def _pairs(text: str, types: list[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    open_now: list[tuple[str, int]] = []
    for at, character in enumerate(text):
        if types[at] != "ON":
            continue
        if character in _CLOSING:
            if len(open_now) == _MOST_OPEN:
                break
            open_now.append((_CLOSING[character], at))
            continue
        for depth in range(len(open_now) - 1, -1, -1):
            if open_now[depth][0] == character:
                found.append((open_now[depth][1], at))
                del open_now[depth:]
                break
    return sorted(found)


def _neutrals(types: list[str], side: str) -> None:
    """N1 and N2: between two of one side they go with it, else with the paragraph."""
    at = 0
    while at < len(types):
        end = at
        while end < len(types) and types[end] in _NEUTRAL:
            end += 1
        if end > at:
            before = _side(types[at - 1]) if at else side
            after = _side(types[end]) if end < len(types) else side
            types[at:end] = [before if before == after and before else side] * (end - at)
        at = max(end, at + 1)


def _side(kind: str) -> str | None:
    """Numbers count as from the right for what is around them."""
    if kind == "L":
        return "L"
    return "R" if kind in {"R", "EN", "AN"} else None


def _level(base: int, kind: str) -> int:
    """I1 and I2."""
    if base % 2:
        return base if kind == "R" else base + 1
    return base + {"L": 0, "R": 1}.get(kind, 2)
