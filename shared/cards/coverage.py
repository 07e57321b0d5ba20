"""Which characters a font file has glyphs for, read from its `cmap` table. Never guesses.

Source: OpenType 1.9, "cmap" and "Font collections". Pillow draws a box for what is missing and does not tell.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_SEGMENTS, _GROUPS = 4, 12
_PREFERRED = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))
"""Platform and encoding of Unicode tables, those beyond the first plane first."""


@dataclass(frozen=True)
class Coverage:
    """Sorted ranges of code points, both ends included."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __contains__(self, character: str) -> bool:
        at = bisect_right(self.starts, ord(character)) - 1
        return at >= 0 and ord(character) <= self.ends[at]


def read_coverage(path: Path, index: int = 0) -> Coverage:
    """Of the file's face number `index`. Raises `ValueError` for a file without a table we can read."""
    with path.open("rb") as file:
        table = _table(file, index, b"cmap")
    (count,) = struct.unpack_from(">H", table, 2)
    offsets = {
        (platform, encoding): offset
        for platform, encoding, offset in struct.iter_unpack(">HHI", table[4 : 4 + 8 * count])
    }
    for key in _PREFERRED:
        if key in offsets:
            return _merged(_ranges(table[offsets[key] :]))
    raise ValueError(f"{path.name} has no Unicode table")


def _table(file: BinaryIO, index: int, tag: bytes) -> bytes:
    start = 0
    if file.read(4) == b"ttcf":
        file.seek(12 + 4 * index)
        (start,) = struct.unpack(">I", file.read(4))
    file.seek(start + 4)
    (count,) = struct.unpack(">H", file.read(2))
    file.seek(start + 12)
    for name, _, offset, length in struct.iter_unpack(">4sIII", file.read(16 * count)):
        if name == tag:
            file.seek(offset)
            return file.read(length)
    raise ValueError("the font has no character map")


def _ranges(table: bytes) -> Iterator[tuple[int, int]]:
    (form,) = struct.unpack_from(">H", table)
    if form == _GROUPS:
        (count,) = struct.unpack_from(">I", table, 12)
        for first, last, glyph in struct.iter_unpack(">III", table[16 : 16 + 12 * count]):
            if glyph == 0:  # the first of them has the box of a missing glyph
                first += 1
            if first <= last:
                yield first, last
    elif form == _SEGMENTS:
        yield from _segments(table)
    else:
        raise ValueError(f"the font has a character map of form {form}")


def _segments(table: bytes) -> Iterator[tuple[int, int]]:
    double = struct.unpack_from(">H", table, 6)[0]
    count = double // 2

    def column(at: int, kind: str = "H") -> tuple[int, ...]:
        return struct.unpack_from(f">{count}{kind}", table, at)

    lasts, firsts = column(14), column(16 + double)
    deltas, offsets = column(16 + 2 * double, "h"), column(16 + 3 * double)
    for number in range(count):
        place = 16 + 3 * double + 2 * number + offsets[number]
        for code in range(firsts[number], lasts[number] + 1):
            glyph = code
            if offsets[number]:
                at = place + 2 * (code - firsts[number])
                glyph = struct.unpack_from(">H", table, at)[0] if at + 2 <= len(table) else 0
                if glyph == 0:
                    continue
            if (glyph + deltas[number]) & 0xFFFF and code != 0xFFFF:
                yield code, code


def _merged(ranges: Iterator[tuple[int, int]]) -> Coverage:
    merged: list[list[int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(last, merged[-1][1])
        else:
            merged.append([first, last])
    return Coverage(tuple(one[0] for one in merged), tuple(one[1] for one in merged))
