"""Composes the exact message for an article, for a service of which nothing but its room is known.

Never does input or output, and never leaves out the link: what does not fit is the text.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.social.channels.apprise.settings import AppriseSettings
from services.social.channels.article_words import lead, notices, own_words
from services.social.channels.campaign import content_of, notice_content, tracked
from services.social.channels.layout import GAP, Layout
from services.social.channels.plaintext import address, cleaned
from shared.contracts.articles import Article
from shared.delivery.errors import GiveUp

__all__ = ["MessagePayload", "Room", "compose", "compose_correction", "fit", "length"]

MOST = 2000
"""Bytes of a message, title and all. Nobody reads more of a notification, and in JSON, where a character
may take six bytes, it stays below the 8000 beyond which one service makes a file of the text."""
WITHOUT_IMAGE = "without the lead image: Apprise is given words only"


class Room(BaseModel):
    """What the service's plugin says that it takes, in characters. No room for a title is 0."""

    model_config = ConfigDict(frozen=True)

    title: int
    body: int


class MessagePayload(BaseModel):
    """All that the plugin is given; where it goes is in the account's address."""

    model_config = ConfigDict(frozen=True)

    title: str
    body: str
    kind: Literal["info", "warning"]
    """Apprise's word for how a service colours it: a correction warns."""
    limit: int

    @property
    def text(self) -> str:
        """What people read."""
        return GAP.join(part for part in (self.title, self.body) if part)


def length(text: str) -> int:
    """Bytes of UTF-8: never fewer than any service counts, whether bytes, UTF-16 units or characters."""
    return len(text.encode())


def fit(text: str, limit: int = MOST) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return Layout(limit, length).fit(text)


def compose(article: Article, *, settings: AppriseSettings, room: Room) -> MessagePayload:
    """The message about `article`: the editor's words, else the headline as title and the standfirst.

    Raises `GiveUp` when the link has no room.
    """
    link = tracked(article.url, settings, content_of(article.publication))
    own = own_words(article, "apprise", link)
    if own or not room.title:
        return _message("", own or lead(article), link, room, "info")
    return _message(_title(article), article.standfirst or article.summary, link, room, "info")


def compose_correction(
    article: Article, *, settings: AppriseSettings, room: Room, told: int
) -> MessagePayload:
    """One more message, with every correction after the first `told` or the retraction: what was sent stays.

    Its link differs from the post's, which is how the two are told apart.
    """
    link = tracked(article.url, settings, notice_content(article))
    title = _title(article) if room.title else ""
    return _message(title, notices(article, told, settings.labels), link, room, "warning")


def _title(article: Article) -> str:
    """On one line, because a title may become a header of HTTP."""
    return " ".join(cleaned(article.headline).split())


def _message(
    title: str, body: str, link: str, room: Room, kind: Literal["info", "warning"]
) -> MessagePayload:
    title = fit(title, min(room.title, MOST // 2))
    before = length(title + GAP) if title else 0
    layout = Layout(min(room.body, MOST - before), length)
    parts = layout.linked("", cleaned(body), link, lambda text: bool(address(link).search(text)))
    text = GAP.join(parts)
    if not layout.fits(text):
        raise GiveUp(
            f"the link alone is longer than the {layout.limit} bytes that there is room for"
        )
    return MessagePayload(title=title, body=text, kind=kind, limit=before + layout.limit)
