"""Plain words before any network's markup: cleaned, an address found whole, tags as hashtags. Never marks up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}]+")
_HASHTAG = regex.compile(r"[#＃]([\w\p{M}]+)")


def cleaned(text: str) -> str:
    """`text` without control characters that nobody sees, with line ends as one sign.

    Marks that order right-to-left text stay: they are invisible, but what they do is not.
    """
    return str(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()


def address(url: str) -> regex.Pattern[str]:
    """Matches `url` in a text where it stands whole, not as the beginning of a longer address."""
    return regex.compile(regex.escape(url) + r"(?![\w\p{M}/?#&=%~+-]|[.,:;!]\w)")


def hashtags(
    tags: Sequence[str], text: str, taken: Callable[[str], bool] = lambda _: True
) -> list[str]:
    """CamelCase hashtags of letters and digits ("climate change" -> "#ClimateChange").

    Leaves out what `text` has already, what no network links (only digits), and what is not `taken`.
    """
    present = {found.casefold() for found in _HASHTAG.findall(text)}
    made: list[str] = []
    for tag in tags:
        name = "".join(word[:1].upper() + word[1:] for word in _WORD.findall(cleaned(tag)))
        if regex.search(r"\p{L}", name) and name.casefold() not in present and taken(name):
            present.add(name.casefold())
            made.append(f"#{name}")
    return made
