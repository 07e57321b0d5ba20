"""Counts a post as Threads counts it, and makes a link that is this post's own.

Must never count less than the network does: what looks doubtful is counted at its longest.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import regex

from services.social.channels import fitting

LIMIT = 500
TOPIC_LIMIT = 50

# A character as people see it that has an emoji in it, with everything that is joined to it.
_EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u20e3]")
_LINK = regex.compile(
    r"(?:https?://|(?<![\w.@/-])www\.)[^\s\p{C}<>\"「」『』、。…]+", regex.IGNORECASE
)
_TRAILING = ".,;:!?'\"”’»)]}*"
_HASHTAG = regex.compile(r"(?<![^\s(\[])[#＃][\w\p{M}]")
# Nothing that a reader sees.
_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


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


def fit(text: str, limit: int = LIMIT) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, length)


def tracked(url: str, content: str = "") -> str:
    """The article's address with our campaign parameters; its own query and fragment stay.

    `content` tells a later publication and a correction apart: the look-up goes by this address, and
    must never take one post for another.
    """
    parts = urlsplit(url)
    own = f"{parts.query}&" if parts.query else ""
    more = f"&utm_content={content}" if content else ""
    return parts._replace(query=f"{own}utm_source=threads&utm_medium=social{more}").geturl()


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


def cleaned(text: str) -> str:
    """`text` without invisible control characters, line ends as everywhere."""
    return str(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()
