"""Counts and marks up a message as Telegram does.

Must never let a character of an article be taken for markup.
"""

from __future__ import annotations

import html

from services.social.channels import fitting


def length(text: str) -> int:
    """UTF-16 code units of `text`, which is what the limits mean "after entities parsing"."""
    return len(text.encode("utf-16-le")) // 2


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, length)


def escaped(text: str) -> str:
    """`text` for parse mode HTML: only `&`, `<` and `>` mean anything there."""
    return html.escape(text, quote=False)
