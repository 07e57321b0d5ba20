"""Counts and marks up a message as Telegram does, and makes its link and hashtags.

Must never let a character of an article be taken for markup.
"""

from __future__ import annotations

import html
from urllib.parse import urlsplit

import regex

from services.social.channels import fitting

_WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}]+")
_HASHTAG = regex.compile(r"[#＃]([\w\p{M}]+)")
# Telegram turns these into spaces or refuses them; readers see nothing of them.
_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def length(text: str) -> int:
    """UTF-16 code units of `text`, which is what the limits mean "after entities parsing"."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, length)


def escaped(text: str) -> str:
    """`text` for parse mode HTML: only `&`, `<` and `>` mean anything there."""
    return html.escape(text, quote=False)


def tracked(url: str) -> str:
    """The article's address with our campaign parameters; its own query and fragment stay."""
    parts = urlsplit(url)
    own = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=f"{own}utm_source=telegram&utm_medium=social").geturl()


def address(url: str) -> regex.Pattern[str]:
    """Matches `url` in a text where it stands whole, not as the beginning of a longer address."""
    return regex.compile(regex.escape(url) + r"(?![\w\p{M}/?#&=%~+-]|[.,:;!]\w)")


def hashtags(tags: tuple[str, ...], text: str) -> list[str]:
    """CamelCase hashtags of letters and digits ("climate change" -> "#ClimateChange").

    Leaves out what `text` has already and what the network would not link (only digits).
    """
    present = {found.casefold() for found in _HASHTAG.findall(text)}
    made: list[str] = []
    for tag in tags:
        name = "".join(word[:1].upper() + word[1:] for word in _WORD.findall(cleaned(tag)))
        if regex.search(r"\p{L}", name) and name.casefold() not in present:
            present.add(name.casefold())
            made.append(f"#{name}")
    return made


def cleaned(text: str) -> str:
    """`text` without invisible control characters and with plain line ends."""
    return str(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()
