"""Composes the exact notice for an article, counting as the board counts. Never does input or output."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from services.social.channels.article_words import lead, notice, own_words
from services.social.channels.campaign import content_of, tracked
from services.social.channels.layout import GAP, Layout
from services.social.channels.noticeboard.settings import NoticeboardSettings
from services.social.channels.plaintext import address, hashtags
from shared.contracts.articles import Article
from shared.delivery.errors import GiveUp

LIMIT = 500
"""Characters of a notice (the board's documentation, "Notices")."""
WITHOUT_IMAGE = "without the lead image: the board takes words only"


class NoticePayload(BaseModel):
    """All that is sent."""

    model_config = ConfigDict(frozen=True)

    key: str
    """Names the notice on the board, the same however often it is sent."""
    text: str
    noticed: bool
    """Whether it tells of a correction; then later edits go on telling."""


def notice_key(key: str) -> str:
    """Names the notice that a delivery makes: the same for every attempt, and fit for an address."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def length(text: str) -> int:
    """Unicode code points, as the board counts."""
    return len(text)


LAYOUT = Layout(LIMIT, length)


def fit(text: str, limit: int = LIMIT) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return LAYOUT.fit(text, limit)


def compose(
    article: Article, *, key: str, settings: NoticeboardSettings, noticed: bool = False
) -> NoticePayload:
    """The notice about `article`; `noticed` demands a public word on its last correction.

    Raises `GiveUp` when the link has no room.
    """
    link = tracked(article.url, settings, content_of(article.publication))
    said = notice(article, settings.labels) if noticed else ""
    body = own_words(article, "noticeboard", link) or lead(article)
    parts = LAYOUT.linked(said, body, link, lambda text: bool(address(link).search(text)))
    text = GAP.join(parts)
    if not LAYOUT.fits(text):
        raise GiveUp(f"the link alone is longer than the {LIMIT} characters of a notice")
    tagged = LAYOUT.tagged(text, hashtags(article.tags, text))
    return NoticePayload(key=key, text=tagged, noticed=noticed)
