"""What a reader of a network would see, ready for the page: replies below their post, links as links. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

from services.social.channels.base import VisiblePost

_LINK = regex.compile(
    r"https?://[^\s<>\"「」『』、。]*[^\s<>\"「」『』、。.,:;!?'”’»)\]]", regex.IGNORECASE
)
_HASHTAG_OR_MENTION = r"(?<![\w/&])[#＃@][\p{L}\p{M}\p{N}_]+(?:@[\w.-]+\w)?"
_MARKED = regex.compile(
    rf"(?P<link>{_LINK.pattern})|(?P<tag>{_HASHTAG_OR_MENTION})", regex.IGNORECASE
)


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: plain, a link (`href`), or a hashtag or mention (`tag`)."""

    text: str
    href: str | None = None
    tag: bool = False


@dataclass(frozen=True)
class Thread:
    """A post and what follows below it, oldest first."""

    post: VisiblePost
    replies: tuple[VisiblePost, ...] = ()


def threads(posts: Sequence[VisiblePost]) -> list[Thread]:
    """Posts newest first, each with its replies; a reply to what is not shown stands for itself."""
    above = {post.id: post.reply_to for post in posts}
    below: dict[str, list[VisiblePost]] = {}
    for post in reversed(posts):
        if post.reply_to in above:
            below.setdefault(_root(post.id, above), []).append(post)
    return [
        Thread(post, tuple(below.get(post.id, ()))) for post in posts if post.reply_to not in above
    ]


def pieces(text: str) -> list[Piece]:
    """The whole text in order, so that joined together they are the text again."""
    found: list[Piece] = []
    position = 0
    for mark in _MARKED.finditer(text):
        if mark.start() > position:
            found.append(Piece(text[position : mark.start()]))
        link = mark["link"]
        found.append(Piece(mark[0], href=link, tag=link is None))
        position = mark.end()
    return [*found, Piece(text[position:])] if position < len(text) else found


def _root(post_id: str, above: Mapping[str, str | None]) -> str:
    """The post at the top of the thread: replies may hang below other replies."""
    passed = {post_id}
    while (parent := above[post_id]) in above and parent is not None and parent not in passed:
        passed.add(parent)
        post_id = parent
    return post_id
