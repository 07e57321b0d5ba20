"""LinkedIn's "little text": people's words as they go over the wire, and back again without a loss.

Must never let a reserved character out bare: the network silently cuts the text at the first one.
"""

from __future__ import annotations

import regex

RESERVED = frozenset("\\|{}@[]()<>#*_~")
"""Characters that stand for themselves only after a backslash."""

_PIECES = regex.compile(
    r"(?P<link>https?://[^\s<>\"「」『』、。]+)"
    # Letters and digits only, at least one letter; what goes on after it makes it ordinary text.
    r"|(?<![\w\p{M}/&#])\#(?P<tag>(?=[\p{N}\p{M}]*\p{L})[\p{L}\p{M}\p{N}]++)(?![_#\u200c\u200d])",
    regex.IGNORECASE,
)
_WRITTEN = regex.compile(r"\{hashtag\|\\#\|([^|{}\\]+)\}|\\(.)", regex.DOTALL)


def wire(text: str, *, escape_links: bool = True) -> str:
    """`text` as the `commentary` field takes it: hashtags as templates, all else escaped."""
    parts: list[str] = []
    position = 0
    for found in _PIECES.finditer(text):
        parts.append(_escaped(text[position : found.start()]))
        if tag := found["tag"]:
            parts.append(f"{{hashtag|\\#|{tag}}}")
        else:
            parts.append(_escaped(found["link"]) if escape_links else found["link"])
        position = found.end()
    parts.append(_escaped(text[position:]))
    return "".join(parts)


def readable(commentary: str) -> str:
    """What people read of a `commentary` that `wire` wrote."""
    return str(_WRITTEN.sub(lambda found: f"#{found[1]}" if found[1] else found[2], commentary))


def units(text: str) -> int:
    """UTF-16 code units: never fewer than characters, so safe whichever of the two is counted."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in RESERVED else sign for sign in text)
