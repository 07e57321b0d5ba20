"""Counts a post as Threads counts it, and finds its topic.

Must never count less than the network does: what looks doubtful is counted at its longest.
"""

from __future__ import annotations

import regex

from services.social.channels.layout import Layout
from services.social.channels.plaintext import cleaned

LIMIT = 500
TOPIC_LIMIT = 50

# A character as people see it that has an emoji in it, with everything that is joined to it.
_EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u20e3]")
_LINK = regex.compile(
    r"(?:https?://|(?<![\w.@/-])www\.)[^\s\p{C}<>\"「」『』、。…]+", regex.IGNORECASE
)
_TRAILING = ".,;:!?'\"”’»)]}*"
_HASHTAG = regex.compile(r"(?<![^\s(\[])[#＃][\w\p{M}]")


def length(text: str) -> int:
    """Characters of `text`, an emoji counted as its UTF-8 bytes; at most `LIMIT` are allowed.

    Source: the documentation of posts. It does not say what a character outside the basic plane
    counts, so it is counted as the two units that UTF-16 needs.
    """
    total = 0
    for cluster in regex.findall(r"\X", text):
        if _EMOJI.search(cluster):
            total += len(cluster.encode())
        else:
            total += len(cluster.encode("utf-16-le")) // 2
    return total


LAYOUT = Layout(LIMIT, length)


def fit(text: str, limit: int = LIMIT) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return LAYOUT.fit(text, limit)


def links(text: str, attachment: str | None) -> set[str]:
    """The different links of a post, as the network limits them: in the text, and the attached one."""
    found = {link.rstrip(_TRAILING) for link in _LINK.findall(text)}
    return found | {attachment} if attachment else found


def topic_of(tags: tuple[str, ...], text: str) -> str | None:
    """The first tag that can be a topic; None where `text` has a hashtag, which is the topic then."""
    if _HASHTAG.search(text):
        return None
    for tag in tags:
        # The network takes neither full stops nor ampersands in a topic.
        name = " ".join(cleaned(tag).lstrip("#＃").replace(".", " ").replace("&", " ").split())
        if name and len(name) <= TOPIC_LIMIT:
            return name
    return None
