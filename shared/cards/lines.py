"""Fits a paragraph into a box: wraps it, lowers its size, and only then cuts it. Never overflows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from PIL import Image, ImageDraw

from shared.cards.paragraphs import Cluster, Paragraph, Run, runs, shortened
from shared.cards.typefaces import Typeface

_LEADING = 1.17
"""From one base line to the next, in sizes; more where the ink needs it."""
_AIR = 0.06
"""Between the ink of two lines, in sizes."""
_STEPS = 10
"""Of the search for the narrowest box with the same lines."""

Line = tuple[Cluster, ...]


@dataclass(frozen=True)
class Block:
    """Lines at a size, with the base line of each from the top of the ink, in pixels."""

    lines: tuple[tuple[Run, ...], ...]
    widths: tuple[float, ...]
    baselines: tuple[int, ...]
    height: int
    size: int
    weight: int
    language: str
    from_right: bool

    @property
    def baseline(self) -> int:
        """Of the last line, from the top of the ink."""
        return self.baselines[-1] if self.baselines else 0

    @property
    def descent(self) -> int:
        """Ink below it."""
        return self.height - self.baseline

    def mask(self, width: int, bleed: int = 0) -> Image.Image:
        """The ink in a box of this width, which it leaves by no more than `bleed` at either side.

        Letters reach a little beyond their own width; a long tail is cut rather than let out.
        """
        mask = Image.new("L", (width + 2 * bleed, max(self.height, 1)), 0)
        draw = ImageDraw.Draw(mask)
        for line, length, baseline in zip(self.lines, self.widths, self.baselines, strict=True):
            x = bleed + (width - length if self.from_right else 0.0)
            for run in line:
                draw.text(
                    (round(x), baseline),
                    run.text,
                    fill=255,
                    font=run.face.font(self.weight, self.size),
                    anchor="ls",
                    direction="rtl" if run.from_right else "ltr",
                    language=self.language,
                )
                x += _advance(run, self.weight, self.size, self.language)
        return mask


def fitted(
    paragraph: Paragraph,
    *,
    width: int,
    height: int,
    weight: int,
    sizes: Sequence[int],
    lines: int = 1000,
) -> Block:
    """At the largest of `sizes` (descending) that takes all words in at most so many lines.

    At the smallest a long word may be broken, and what is still too much ends in "…".
    """
    for size in sizes:
        setting = _Setting(paragraph, width, weight, size)
        found = setting.wrapped(width)
        if found is None or len(found) > lines or (len(found) - 1) * _LEADING * size > height:
            continue
        block = setting.block(setting.balanced(found))
        if block.height <= height:
            return block
    return _Setting(paragraph, width, weight, sizes[-1]).cut(height, lines)


class _Setting:
    """One paragraph at one size."""

    def __init__(self, paragraph: Paragraph, width: int, weight: int, size: int) -> None:
        self._paragraph = paragraph
        self._width = width
        self._weight = weight
        self._size = size
        self._words = paragraph.words()
        self._lengths = [self._length(_without_space(word)) for word in self._words]
        self._full = [self._length(word) for word in self._words]

    def wrapped(self, width: float) -> list[Line] | None:
        """The words in lines; None where one of them is wider than a line."""
        if max(self._lengths, default=0) > width:
            return None
        found: list[Line] = []
        line: Line = ()
        length = 0.0
        for word, shown, full in zip(self._words, self._lengths, self._full, strict=True):
            if line and length + shown > width:
                found.append(line)
                line, length = (), 0.0
            line += word
            length += full
        if line:
            found.append(line)
        lines = [_without_space(one) for one in found]
        # A line can be a little longer than its words, where their fonts kern across them.
        if any(self._length(one) > self._width for one in lines):
            return None
        return lines

    def balanced(self, lines: list[Line]) -> list[Line]:
        """The same number of lines with their lengths as even as possible: no lonely last word."""
        low, high, best = max(self._lengths, default=0.0), float(self._width), lines
        for _ in range(_STEPS if len(lines) > 1 else 0):
            middle = (low + high) / 2
            found = self.wrapped(middle)
            if found is not None and len(found) == len(lines):
                high, best = middle, found
            else:
                low = middle
        return best

    def cut(self, height: int, most: int) -> Block:
        """As many lines as there is room for, the last ending in "…" where words are left out."""
        broken = self._broken()
        for count in range(min(most, len(broken)), 1, -1):
            block = self._first(broken, count)
            if block.height <= height:
                return block
        return self._first(broken, 1)

    def _first(self, broken: list[Line], count: int) -> Block:
        lines = [_without_space(one) for one in broken]
        if count >= len(lines):
            return self.block(lines)
        rest = tuple(cluster for line in broken[count - 1 :] for cluster in line)
        last = next(
            line
            for line in shortened(rest[: len(broken[count - 1]) + 1], self._paragraph.ellipsis)
            if len(line) == 1 or self._length(line) <= self._width
        )
        return self.block([*lines[: count - 1], last])

    def _broken(self) -> list[Line]:
        """Lines in which a word that is wider than a line is broken; spaces are still at their ends."""
        found: list[Line] = []
        line: Line = ()
        for word in self._words:
            if line and self._length(_without_space(line + word)) > self._width:
                found.append(line)
                line = ()
            for cluster in word:
                if line and self._length(_without_space((*line, cluster))) > self._width:
                    found.append(line)
                    line = ()
                line += (cluster,)
        if line:
            found.append(line)
        return found

    def block(self, lines: Sequence[Line]) -> Block:
        set_lines = tuple(tuple(runs(line)) for line in lines)
        extents = [
            _extents(line, self._weight, self._size, self._paragraph.language) for line in set_lines
        ]
        pitch = _LEADING * self._size
        for (_, below), (above, _) in pairwise(extents):
            pitch = max(pitch, below + above + _AIR * self._size)
        first = max(extents[0][0], 0) if extents else 0
        baselines = tuple(round(first + number * pitch) for number in range(len(set_lines)))
        last = max(extents[-1][1], 0) if extents else 0
        return Block(
            lines=set_lines,
            widths=tuple(self._length(line) for line in lines),
            baselines=baselines,
            height=(baselines[-1] + last) if baselines else 0,
            size=self._size,
            weight=self._weight,
            language=self._paragraph.language,
            from_right=self._paragraph.from_right,
        )

    def _length(self, line: Line) -> float:
        language = self._paragraph.language
        return sum(_advance(run, self._weight, self._size, language) for run in runs(line))


def _without_space(line: Line) -> Line:
    while line and line[-1].is_space:
        line = line[:-1]
    return line


@lru_cache(maxsize=20_000)
def _measured(
    text: str, face: Typeface, from_right: bool, weight: int, size: int, language: str
) -> float:
    font = face.font(weight, size)
    direction = "rtl" if from_right else "ltr"
    return float(font.getlength(text, direction=direction, language=language))


def _advance(run: Run, weight: int, size: int, language: str) -> float:
    return _measured(run.text, run.face, run.from_right, weight, size, language)


def _extents(line: Sequence[Run], weight: int, size: int, language: str) -> tuple[int, int]:
    """How far the ink of a line reaches above and below its base line."""
    boxes = [
        run.face.font(weight, size).getbbox(
            run.text,
            anchor="ls",
            direction="rtl" if run.from_right else "ltr",
            language=language,
        )
        for run in line
    ]
    return (
        max((round(-box[1]) for box in boxes), default=0),
        max((round(box[3]) for box in boxes), default=0),
    )
