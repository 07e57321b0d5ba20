"""Two texts laid over each other, word by word. The pieces always put both texts together again exactly.

Lines first, then the words of the lines that changed. Where a text would cost too much (a book of
nothing but repeated words), the rest is shown as one piece removed and one added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import regex

from services.publishing.domain.alignment import Work, equal_runs

Op = Literal["same", "removed", "added"]

# Words are not parted in scripts that write without spaces, so there each character stands alone;
# what is neither word nor space (an emoji of several code points) is kept whole.
_ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORDS = regex.compile(
    rf"\s+|[{_ALONE}]\p{{M}}*|[[\w\p{{M}}]--[{_ALONE}]]+"
    r"|\p{RI}{2}|\S(?:[\p{M}\p{EMod}]|\u200d\S)*",
    regex.VERSION1,
)


@dataclass(frozen=True)
class Segment:
    """A piece of text that both have, or only the one before, or only the one after."""

    op: Op
    text: str


def segments(before: str, after: str, work: Work) -> list[Segment]:
    """The pieces in order, neighbours always of different kinds, none of them empty."""
    return _joined(_by_line(before, after, work))


def words(text: str) -> list[str]:
    """The text cut into words, spaces and signs; together they are the text."""
    return _WORDS.findall(text)  # type: ignore[no-any-return]


class _Tokens:
    """Tokens with the space behind each kept aside: a space is never what two texts have in common."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self.keys: list[str] = []
        spaces: list[list[str]] = []
        for token in tokens:
            if token.isspace() and self.keys:
                spaces[-1].append(token)
            else:
                self.keys.append(token)
                spaces.append([])
        self.gaps = ["".join(several) for several in spaces]

    def text(self, start: int, end: int) -> str:
        return "".join(
            key + gap for key, gap in zip(self.keys[start:end], self.gaps[start:end], strict=True)
        )


def _by_line(before: str, after: str, work: Work) -> Iterator[Segment]:
    lines = _Tokens(before.splitlines(keepends=True)), _Tokens(after.splitlines(keepends=True))
    for piece in _opposed(lines[0], lines[1], work):
        if isinstance(piece, Segment):
            yield piece
        elif all(piece):
            yield from _by_word(*piece, work)
        else:
            yield from _replaced(*piece)


def _by_word(before: str, after: str, work: Work) -> Iterator[Segment]:
    for piece in _opposed(_Tokens(words(before)), _Tokens(words(after)), work):
        if isinstance(piece, Segment):
            yield piece
        else:
            yield from _replaced(*piece)


def _replaced(removed: str, added: str) -> Iterator[Segment]:
    yield Segment("removed", removed)
    yield Segment("added", added)


def _opposed(before: _Tokens, after: _Tokens, work: Work) -> Iterator[Segment | tuple[str, str]]:
    """What is equal, and in between what stands on either side."""
    at = at_after = 0
    found = sorted(equal_runs(before.keys, after.keys, work))
    for start, start_after, length in [*found, (len(before.keys), len(after.keys), 0)]:
        yield before.text(at, start), after.text(at_after, start_after)
        for index in range(length):
            gap, gap_after = before.gaps[start + index], after.gaps[start_after + index]
            yield Segment("same", before.keys[start + index])
            yield Segment("same", gap) if gap == gap_after else (gap, gap_after)
        at, at_after = start + length, start_after + length


def _joined(pieces: Iterable[Segment]) -> list[Segment]:
    """Without empty pieces; within one change, what was removed comes before what was added."""
    joined: list[Segment] = []
    same: list[str] = []
    removed: list[str] = []
    added: list[str] = []
    into: dict[Op, list[str]] = {"same": same, "removed": removed, "added": added}

    def close(*ops: Op) -> None:
        for op in ops:
            if text := "".join(into[op]):
                joined.append(Segment(op, text))
            into[op].clear()

    for piece in pieces:
        if not piece.text:
            continue
        close(*(("removed", "added") if piece.op == "same" else ("same",)))
        into[piece.op].append(piece.text)
    close("same", "removed", "added")
    return joined
