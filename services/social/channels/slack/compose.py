"""Composes the exact Slack message for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.slack.mrkdwn import (
    address,
    cleaned,
    escaped,
    fit,
    length,
    tracked,
)
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
MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/gif"})


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
    notice = correction or (before is not None and before.notice)
    lead = article.lead_image if settings.media == "image" else None
    limit = SECTION_LIMIT if settings.media == "image" else TEXT_LIMIT
    text = _text(article, limit, _notice(article, settings) if notice else "")
    payload = MessagePayload(
        composed_at=now,
        text=text,
        mrkdwn=escaped(text),
        link=tracked(article.url, article.publication),
        image=pictured(lead, article.headline) if lead else None,
        notice=notice,
        limit=limit,
    )
    if before is not None and payload.remembered(before.channel) == before.model_dump():
        return None
    return payload


def pictured(lead: LeadImage, headline: str) -> Image | None:
    """The block for a lead image, its alt text else the headline; None when no rendition can be shown."""
    rendition = best_rendition(lead)
    alt = fitting.fit(cleaned(lead.alt) or cleaned(headline), ALT_LIMIT, length)
    return Image(url=rendition.url, alt=alt) if rendition and alt else None


def best_rendition(image: LeadImage) -> Rendition | None:
    """The largest rendition that is shown in full, else the smallest that is shown at all."""
    taken = [
        each
        for each in image.renditions
        if each.media_type in MEDIA_TYPES and length(each.url) <= IMAGE_URL_LIMIT
    ]
    shown = [each for each in taken if max(each.width, each.height) <= SHOWN_SIDE]
    if shown:
        return max(shown, key=lambda each: (each.width * each.height, -each.size))
    return min(taken, key=lambda each: each.width * each.height, default=None)


def _text(article: Article, limit: int, notice: str) -> str:
    """The message as people read it; no longer than `limit` once it is escaped."""
    link = tracked(article.url, article.publication)
    own_words = cleaned(article.social.get("slack", ""))
    lead = (cleaned(article.headline), cleaned(article.standfirst or article.summary))
    # An editor who wrote the address into the text has placed the link.
    body = address(article.url).sub(lambda _: link, own_words)
    body = body or "\n\n".join(part for part in lead if part)
    text = _stacked(notice, body, "", limit)
    if not address(link).search(text):
        text = _stacked(notice, body, link, limit)
    if length(escaped(text)) > limit:
        raise GiveUp(f"the link alone is longer than the {limit} characters this network allows")
    return text


def _stacked(notice: str, body: str, link: str, limit: int) -> str:
    """Notice, body and link under each other; first the body gives way, then the notice."""
    room = limit - (length(escaped(link)) + 2 if link else 0)
    if notice:
        free = room - length(escaped(body)) - 2
        notice = fit(notice, max(free, room // 2))
        room -= length(escaped(notice)) + 2
    return "\n\n".join(part for part in (notice, fit(body, room), link) if part)


def _notice(article: Article, settings: SlackSettings) -> str:
    if not article.corrections:
        return settings.labels["correction"]
    last = article.corrections[-1]
    label = settings.labels.get(last.kind, last.kind.capitalize())
    return cleaned(f"{label}: {last.text}")
