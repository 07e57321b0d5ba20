"""Writes the text of a post within what X counts, with a link that is this post's own. Never alters what fits."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

import regex

from services.social.channels import fitting
from services.social.channels.x.addresses import addresses
from services.social.channels.x.weighing import weight

LIMIT = 280

_WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}]+")
_HASHTAG = regex.compile(r"[#＃]([\w\p{M}]+)")
# The network refuses the last three; the others are nothing that a reader sees.
_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\ufeff\uffff]")

_BARE_ADDRESS = regex.compile(r"(?<![\w@.-])(?:[\w-]++\.)+\w{2,}(?:[/?#][^\s<>\"]*)?")
"""The network links addresses without a scheme too, so no cut may make another one of them."""


def length(text: str) -> int:
    """Characters of `text` as the network counts them; at most `LIMIT` are allowed."""
    return weight(text)


def fit(text: str, limit: int = LIMIT) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, length, protect=(*fitting.DEFAULT, _BARE_ADDRESS))


def tracked(url: str, content: str = "") -> str:
    """The article's address with our campaign parameters; its own query and fragment stay.

    `content` tells a later publication and a correction apart: the look-up goes by this address, and
    must never take one post for another.
    """
    parts = urlsplit(url)
    own = f"{parts.query}&" if parts.query else ""
    more = f"&utm_content={content}" if content else ""
    return parts._replace(query=f"{own}utm_source=x&utm_medium=social{more}").geturl()


def content_of(publication: int, correction: int = 0) -> str:
    """What `tracked` tells this post apart by: "", "2", "correction-1", "2-correction-1"."""
    parts = (
        str(publication) if publication > 1 else "",
        f"correction-{correction}" if correction else "",
    )
    return "-".join(part for part in parts if part)


def address(url: str) -> regex.Pattern[str]:
    """Matches `url` in a text where it stands whole, not as the beginning of a longer address."""
    return regex.compile(regex.escape(url) + r"(?![\w\p{M}/?#&=%~+-]|[.,:;!]\w)")


def shows(text: str, link: str) -> bool:
    """Whether the network makes a link of exactly `link` in `text`: what it makes one of is what is looked up."""
    if addresses(link) != [(0, len(link))]:
        return address(link).search(text) is not None  # it makes none of this host anywhere
    return any(text[start:end] == link for start, end in addresses(text))


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
    """`text` in NFC, as it is counted, without characters that nobody sees or the network refuses."""
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", str(plain)).strip()
