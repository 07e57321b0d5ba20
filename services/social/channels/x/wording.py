"""Writes the text of a post within what X counts. Never alters what fits."""

from __future__ import annotations

import unicodedata

import regex

from services.social.channels import fitting
from services.social.channels.layout import Layout
from services.social.channels.plaintext import address, cleaned
from services.social.channels.x.addresses import addresses
from services.social.channels.x.weighing import weight

LIMIT = 280

_BARE_ADDRESS = regex.compile(r"(?<![\w@.-])(?:[\w-]++\.)+\w{2,}(?:[/?#][^\s<>\"]*)?")
"""The network links addresses without a scheme too, so no cut may make another one of them."""


def length(text: str) -> int:
    """Characters of `text` as the network counts them; at most `LIMIT` are allowed."""
    return weight(text)


LAYOUT = Layout(LIMIT, length, (*fitting.DEFAULT, _BARE_ADDRESS))


def fit(text: str, limit: int = LIMIT) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return LAYOUT.fit(text, limit)


def shows(text: str, link: str) -> bool:
    """Whether the network makes a link of exactly `link` in `text`: what it makes one of is what is looked up."""
    if addresses(link) != [(0, len(link))]:
        return address(link).search(text) is not None  # it makes none of this host anywhere
    return any(text[start:end] == link for start, end in addresses(text))


def composed(text: str) -> str:
    """`text` in NFC, as it is counted, and without the byte order mark that the network refuses."""
    return unicodedata.normalize("NFC", cleaned(text.replace("\ufeff", "")))
