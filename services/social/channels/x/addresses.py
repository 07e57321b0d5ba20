"""Finds what X makes a link of, with or without `http://`, in time that grows evenly with the text.

Source: the public rules of twitter-text 3. Hosts are read label by label, because a pattern over them would go
through a hostile text once for each of its characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex

from services.social.channels.x import tlds

MAX_ADDRESS = 4096
LABEL = 63
"""Longest label of a host name, as written on the wire."""

_SPACE = r"\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_MARKS = r"\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_INVALID = r"\ufffe\ufeff\uffff"
_PUNCTUATION = r"!'#%&()*+,\\./:;<=>?@\[\]^{|}~$"
_LATIN = (
    r"\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f"
    r"\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_LETTERS = rf"A-Za-z0-9\u0400-\u04ff{_LATIN}"
_PATH = rf"{_LETTERS}!*';:=+,.$/%#\[\]\u2013_~@|&-"
_PARENTHESES = rf"\((?:[{_PATH}]+|[{_PATH}]*\([{_PATH}]+\)[{_PATH}]*)\)"
_QUERY = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]_.,~|-]*[A-Za-z0-9_&=#/-]"

_LABEL = rf"[^{_PUNCTUATION}{_SPACE}{_INVALID}{_MARKS}]"
_RUN = regex.compile(rf"{_LABEL}+(?:\.{_LABEL}*)+")
"""Labels and the full stops between them; hyphens and underlines count as part of a label here."""
_SCHEME = regex.compile(r"(?r)https?://", regex.IGNORECASE | regex.ASCII)
_NOT_BEFORE = regex.compile(rf"[A-Za-z0-9@＠$#＃{_INVALID}]")
_NOT_BEFORE_A_BARE_HOST = frozenset("-_./")
_TLD = regex.compile(
    r"(?:(?<ascii>[A-Za-z0-9]+)|\L<international>)(?![0-9A-Za-z@+-])|(?<encoded>[Xx][Nn]--[-0-9A-Za-z]+)",
    international=sorted(tlds.INTERNATIONAL),
)
_REST = regex.compile(
    rf"(?::[0-9]+)?"
    rf"(?<path>/(?:[{_PATH}]*(?:{_PARENTHESES}[{_PATH}]*)*(?<=[{_LETTERS}+=_#/)-]))?)?"
    rf"(?:{_QUERY})?"
)
_SHORTENED = regex.compile(
    rf"https?://t\.co/[a-z0-9]+(?:{_QUERY})?", regex.IGNORECASE | regex.ASCII
)
_BARE_LABEL = regex.compile(rf"[-A-Za-z0-9{_LATIN}]+")
_BARE_TAIL = regex.compile(rf"(?r)[-A-Za-z0-9{_LATIN}]+")


def addresses(text: str) -> list[tuple[int, int]]:
    """Start and end of each link in `text`, which is in NFC."""
    found: list[tuple[int, int]] = []
    position = 0
    for run in _RUN.finditer(text):
        hosts = _Hosts(text, *run.span())
        while host := hosts.next(position):
            rest = _REST.match(text, host.end)
            assert rest is not None  # every part of it may be missing
            position = rest.end()
            found += _links(text, host, rest)
    return found


@dataclass(frozen=True)
class _Host:
    """A host, and where the address begins: before it where there is a scheme."""

    begin: int
    start: int
    end: int


class _Hosts:
    """The hosts in one run of labels, from left to right."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._labels = _labels(text, start, end)
        self._ends = _ends(text, self._labels, _is_label, _is_name)
        self._label = 0

    def next(self, position: int) -> _Host | None:
        """The first host of which nothing lies before `position`, with the character before it."""
        text, first = self._text, self._labels[0][0]
        if self._label == 0:
            scheme = _SCHEME.match(text, position, first)
            free = scheme and _may_begin(text, scheme.start(), position)
            if scheme and free and (end := self._end(0, first)):
                return _Host(scheme.start(), first, end)
        for index in range(self._label, len(self._labels) - 1):
            self._label = index
            for start in _starts(max(self._labels[index][0], position), self._labels[index][1]):
                if not _may_begin(text, start, position):
                    continue
                if end := self._end(index, start):
                    return _Host(start, start, end)
        return None

    def _end(self, index: int, start: int) -> int | None:
        """Where the longest host that begins at `start`, within that label, ends."""
        last = self._labels[index][1]
        if self._text[start] in "-_" or self._text[last - 1] in "-_":
            return None
        if self._ends[index + 1] is not None:
            return self._ends[index + 1]
        if self._text.find("_", start, last) >= 0:
            return None
        return _tld_end(self._text, self._labels[index + 1])


def _starts(start: int, end: int) -> Iterator[int]:
    """Where a host may begin; at the start of a text the network looks for one behind the first character first."""
    order = (1, 0, *range(2, end)) if start == 0 and end > 1 else range(start, end)
    return iter(order)


def _labels(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    while (stop := text.find(".", start, end)) >= 0:
        spans.append((start, stop))
        start = stop + 1
    return [*spans, (start, end)]


def _ends(
    text: str,
    labels: list[tuple[int, int]],
    within: Callable[[str], bool],
    last: Callable[[str], bool],
) -> list[int | None]:
    """For each label, where the longest host ends that begins with the whole of it; None where none does."""
    ends: list[int | None] = [None] * (len(labels) + 1)
    for index in range(len(labels) - 2, -1, -1):
        label = text[slice(*labels[index])]
        if ends[index + 1] is not None and within(label):
            ends[index] = ends[index + 1]
        elif last(label):
            ends[index] = _tld_end(text, labels[index + 1])
    return ends


def _is_label(label: str) -> bool:
    return bool(label) and label[0] not in "-_" and label[-1] not in "-_"


def _is_name(label: str) -> bool:
    return _is_label(label) and "_" not in label


def _is_bare(label: str) -> bool:
    return _BARE_LABEL.fullmatch(label) is not None


def _tld_end(text: str, label: tuple[int, int]) -> int | None:
    found = _TLD.match(text, label[0])
    if found is None or (found["ascii"] and found["ascii"].lower() not in tlds.ASCII):
        return None
    return int(found.end())


def _may_begin(text: str, start: int, position: int) -> bool:
    """Whether the character before `start` is free and lets an address begin."""
    if start == 0:
        return True
    return start > position and not _NOT_BEFORE.match(text[start - 1])


def _links(text: str, host: _Host, rest: regex.Match[str]) -> list[tuple[int, int]]:
    begin, end = host.begin, rest.end()
    name = text[host.start : host.end]
    wire = [_wire_length(label) for label in name.split(".")]
    longer = sum(wire) + len(wire) - 1 - len(name)
    scheme = host.start - begin or len("https://")
    if max(wire) > LABEL or scheme + end - host.start + longer > MAX_ADDRESS:
        return []
    if begin < host.start:
        shortened = _SHORTENED.match(text, begin, end)
        return [(begin, shortened.end() if shortened else end)]
    if begin and text[begin - 1] in _NOT_BEFORE_A_BARE_HOST:
        return []
    spans = list(_bare_hosts(text, host))
    if spans and rest["path"]:
        spans[-1] = (spans[-1][0], end)
    return spans


def _bare_hosts(text: str, host: _Host) -> Iterator[tuple[int, int]]:
    """Without a scheme only the Latin parts of a host are links."""
    labels = _labels(text, host.start, host.end)
    ends = _ends(text, labels, _is_bare, _is_bare)
    position = host.start
    for index, (first, last) in enumerate(labels[:-1]):
        tail = _BARE_TAIL.match(text, max(first, position), last) if last > position else None
        if tail is None:
            continue
        end = ends[index + 1] or _tld_end(text, labels[index + 1])
        if end is not None and end <= host.end:
            yield tail.start(), end
            position = end


def _wire_length(label: str) -> int:
    return len(label) if label.isascii() else len(label.encode("punycode")) + len("xn--")
