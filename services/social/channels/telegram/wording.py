"""Counts and marks up a message as Telegram does.

Must never let a character of an article be taken for markup.
"""

from __future__ import annotations

import html
import unicodedata

import regex

from services.social.channels import fitting
from services.social.channels.plaintext import cleaned

# The network drops these without a word, so the preview would promise what nobody reads.
_DROPPED = regex.compile(r"[\u202d\u202e\u0333\u033f\u030a]")
_SPOKEN = str.maketrans(
    {
        "\u2028": "\n",
        "\u2029": "\n",
        # Embeddings are dropped too, which turns right-to-left text around; isolates do the same and stay.
        "\u202a": "\u2066",
        "\u202b": "\u2067",
        "\u202c": "\u2069",
    }
)


def composed(text: str) -> str:
    """`text` as the network leaves it: in NFC, because it takes a ring away from the letter below it."""
    plain = unicodedata.normalize("NFC", text).translate(_SPOKEN)
    return cleaned(str(_DROPPED.sub("", plain)))


def length(text: str) -> int:
    """UTF-16 code units of `text`, which is what the limits mean "after entities parsing"."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, length)


def escaped(text: str) -> str:
    """`text` for parse mode HTML: only `&`, `<` and `>` mean anything there."""
    return html.escape(text, quote=False)
