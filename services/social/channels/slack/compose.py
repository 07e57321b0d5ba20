"""Composes the exact Slack message for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.article_words import lead, notice, own_words
from services.social.channels.campaign import content_of
from services.social.channels.layout import GAP, Layout
from services.social.channels.pictures import PictureLimits
from services.social.channels.plaintext import address, cleaned
from services.social.channels.slack.mrkdwn import escaped, fit, length, tracked
from services.social.channels.slack.settings import SlackSettings
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Image", "MessagePayload", "Remembered", "compose", "fit", "length", "pictured"]

SECTION_LIMIT, TEXT_LIMIT = 3000, 4000
"""Of the text of a section block, and of a message without blocks: an edit takes no more than 4000,
although a post is only cut above 40,000."""
ALT_LIMIT, IMAGE_URL_LIMIT = 2000, 3000
SHOWN_SIDE = 2048
"""More is never shown, so it only costs time."""
PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png", "image/gif"}),
    "a JPEG, PNG or GIF",
    also=lambda each: length(each.url) <= IMAGE_URL_LIMIT,
)


class Image(BaseModel):
    """An image block; the network fetches the address, which names the very bytes."""

    model_config = ConfigDict(frozen=True)

    url: str
    alt: str
    """Never empty: the network refuses a block without it."""


class Remembered(BaseModel):
    """What `Posted.extra` keeps of the last state that readers saw, and where."""

    mrkdwn: str = ""
    image: Image | None = None
    notice: bool = False
    channel: str | None = None


class MessagePayload(BaseModel):
    """All that is sent for a post or an edit, except to which channel."""

    model_config = ConfigDict(frozen=True)

    composed_at: datetime
    text: str
    """What people read."""
    mrkdwn: str
    link: str
    image: Image | None
    notice: bool
    limit: int

    def remembered(self, channel: str | None) -> dict[str, Any]:
        """`Posted.extra` once this payload has been accepted."""
        return Remembered(
            mrkdwn=self.mrkdwn, image=self.image, notice=self.notice, channel=channel
        ).model_dump()


def compose(
    article: Article,
    *,
    now: datetime,
    settings: SlackSettings,
    before: Remembered | None = None,
    correction: bool = False,
) -> MessagePayload | None:
    """The message for `article`; None when readers see all of it already (`before`).

    `correction` demands a public notice; a message that carries one keeps it in later edits.
    Raises `GiveUp` when the link has no room.
    """
    notified = correction or (before is not None and before.notice)
    lead_image = article.lead_image if settings.media == "image" else None
    limit = SECTION_LIMIT if settings.media == "image" else TEXT_LIMIT
    link = tracked(article.url, settings, content_of(article.publication))
    text = _text(article, limit, link, notice(article, settings.labels) if notified else "")
    payload = MessagePayload(
        composed_at=now,
        text=text,
        mrkdwn=escaped(text),
        link=link,
        image=pictured(lead_image, article.headline) if lead_image else None,
        notice=notified,
        limit=limit,
    )
    if before is not None and payload.remembered(before.channel) == before.model_dump():
        return None
    return payload


def pictured(image: LeadImage, headline: str) -> Image | None:
    """The block for a lead image, its alt text else the headline; None when no rendition can be shown."""
    rendition = best_rendition(image)
    alt = fitting.fit(cleaned(image.alt) or cleaned(headline), ALT_LIMIT, length)
    return Image(url=rendition.url, alt=alt) if rendition and alt else None


def best_rendition(image: LeadImage) -> Rendition | None:
    """The largest rendition that is shown in full, else the smallest that is shown at all."""
    return PICTURES.largest_shown(image, lambda each: max(each.width, each.height) <= SHOWN_SIDE)


def _text(article: Article, limit: int, link: str, said: str) -> str:
    """The message as people read it; no longer than `limit` once it is escaped."""
    layout = Layout(limit, lambda text: length(escaped(text)))
    body = own_words(article, "slack", link) or lead(article)
    parts = layout.linked(said, body, link, lambda text: address(link).search(text) is not None)
    text = GAP.join(parts)
    if not layout.fits(text):
        raise GiveUp(f"the link alone is longer than the {limit} characters this network allows")
    return text
