"""Writes text in Slack's mrkdwn and counts it. Must never let an article call anybody or forge a link."""

from __future__ import annotations

import html
from urllib.parse import urlsplit

import regex

from services.social.channels import fitting

# `<`, `>` and `|` end an address in mrkdwn; full stops and the like at its end belong to the sentence.
_ADDRESS = regex.compile(r"https?://[^\s<>|]*[^\s<>|.,:;!?\"'”’»)\]]")
_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def length(text: str) -> int:
    """UTF-16 code units of what is sent, escapes included: never fewer than the network counts."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit` once escaped, else its beginning and "…"; still plain."""
    return fitting.fit(text, limit, lambda part: length(escaped(part)))


def escaped(text: str) -> str:
    """`text` as mrkdwn: `&`, `<` and `>` as entities, each address in `<…>` so that it is a link."""
    pieces: list[str] = []
    position = 0
    for found in _ADDRESS.finditer(text):
        pieces += [_entities(text[position : found.start()]), f"<{_entities(found[0])}>"]
        position = found.end()
    return "".join([*pieces, _entities(text[position:])])


def _entities(text: str) -> str:
    return html.escape(text, quote=False)


def tracked(url: str, publication: int = 1) -> str:
    """The article's address with our campaign parameters; its own query and fragment stay.

    A later publication is told apart by its number: the look-up goes by this address, and must
    never take the second publication's post for the first's.
    """
    parts = urlsplit(url)
    own = f"{parts.query}&" if parts.query else ""
    again = f"&utm_content={publication}" if publication > 1 else ""
    made = parts._replace(query=f"{own}utm_source=slack&utm_medium=social{again}").geturl()
    return made.replace("|", "%7C")


def address(url: str) -> regex.Pattern[str]:
    """Matches `url` in a text where it stands whole, not as the beginning of a longer address."""
    return regex.compile(regex.escape(url) + r"(?![\w\p{M}/?#&=%~+-]|[.,:;!]\w)")


def cleaned(text: str) -> str:
    """`text` without invisible control characters and with plain line ends."""
    return str(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()
