"""Counts a status as a Mastodon server counts it.

Must never count less than the server does: what looks doubtful is counted at its longest.
"""

from __future__ import annotations

import regex

from services.social.channels import fitting

RESERVED_PER_URL = 23
"""`configuration.statuses.characters_reserved_per_url` of a server that was not changed."""
SHORTEST_LINK = len("http://a.de")

_OPENING = regex.compile(
    r"(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://", flags=regex.IGNORECASE
)
# Narrower than the server's own pattern (config/initializers/twitter_regex.rb) everywhere, so that
# what matches here is surely a link there, at least as far as it matches here.
_SURE_LINK = regex.compile(
    r"(?<![^\s(\"'«„“‘\[])https?://"
    r"(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}|localhost|127\.0\.0\.1)(?![\w\p{M}@+-]|\.\w)"
    r"(?::\d{1,5})?"
    r"(?:/(?:[a-z0-9_~%&=+.,:;@$!*'#/-]*[a-z0-9_/+-])?)?"
    r"(?:\?[a-z0-9!?*';:&=+$/%#\[\]_.,~|@^-]*[a-z0-9_&=#/-])?",
    flags=regex.IGNORECASE | regex.ASCII,
)
# Account::MENTION_RE, only where nothing beside it can make the server read it otherwise.
_SURE_MENTION = regex.compile(
    r"(?<![^\s(])@([a-z0-9_]+)@(?:[a-z0-9-]+\.)+[a-z]{2,}(?=[,;!?)]*(?:\s|$)|\.(?:\s|$))",
    flags=regex.IGNORECASE | regex.ASCII,
)


def length(text: str, reserved: int = RESERVED_PER_URL) -> int:
    """Characters of `text`: graphemes, a link as `reserved`, `@user@host` as `@user`.

    Source: StatusLengthValidator of Mastodon. An address the server may or may not take for a link
    counts as the longer of the two.
    """
    mentions = [(found.span(), len(found[1]) + 1) for found in _SURE_MENTION.finditer(text)]

    def plain(start: int, end: int) -> int:
        total, position = 0, start
        for (first, last), short in mentions:
            if position <= first and last <= end:
                total += _graphemes(text[position:first]) + short
                position = last
        return total + _graphemes(text[position:end])

    total = position = 0
    for opening in _OPENING.finditer(text):
        if opening.start() < position:
            continue  # part of the link before it
        total += plain(position, opening.start())
        if link := _SURE_LINK.match(text, opening.start()):
            total += reserved
            position = link.end()
        else:
            # If it is a link, it takes away at least the shortest one and adds the reserved count.
            total += len(opening[0]) + max(0, reserved - SHORTEST_LINK)
            position = opening.end()
    return total + plain(position, len(text))


def fit(text: str, limit: int, reserved: int = RESERVED_PER_URL) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, lambda part: length(part, reserved))


def _graphemes(text: str) -> int:
    return sum(1 for _ in regex.finditer(r"\X", text))
