"""Writes plain text in Discord's Markdown so that readers see exactly that text, and counts it.

Must never let a character of an article be taken for markup, a mention or an emoji.
"""

from __future__ import annotations

import regex

from services.social.channels import fitting
from services.social.channels.plaintext import address

# The network's own pattern of an address in a text; nothing in it is markup, so nothing is escaped.
_ADDRESS = regex.compile(r"https?://[^\s<]+[^<.,:;\"'\]\s]")
# Anywhere, then where a line begins: quotes, headings, lists, small print, numbered lists.
_SPECIAL = regex.compile(
    r"[\\*_~`|<\[]|(?<=^[^\S\n]*)[>#+-]|(?<=^[^\S\n]*\d+)\.", flags=regex.MULTILINE
)


def length(text: str) -> int:
    """UTF-16 code units of what is sent, escapes included."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, limit: int, link: str = "") -> str:
    """`text` if it is no longer than `limit` once escaped, else its beginning and "…"; still plain."""
    return fitting.fit(text, limit, lambda part: length(escaped(part, link)))


def escaped(text: str, link: str = "") -> str:
    """`text` as Markdown. Where `link` stands whole it goes into `<…>`, so that no second card appears."""
    pieces: list[str] = []
    position = 0
    ours = address(link) if link else None
    while found := _ADDRESS.search(text, position):
        pieces.append(_plain(text, position, found.start()))
        if ours and (own := ours.match(text, found.start())):
            pieces.append(f"<{link}>")
            position = own.end()
        else:
            pieces.append(found[0])
            position = found.end()
    return "".join([*pieces, _plain(text, position, len(text))])


def _plain(text: str, start: int, end: int) -> str:
    """The stretch with every character escaped that would mean something where it stands."""
    pieces: list[str] = []
    position = start
    for found in _SPECIAL.finditer(text, start, end):
        pieces += [text[position : found.start()], "\\", found[0]]
        position = found.end()
    return "".join([*pieces, text[position:end]])
