"""Composes the exact Threads post for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is cut from the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.threads.settings import ThreadsSettings
from services.social.channels.threads.wording import (
    LIMIT,
    address,
    cleaned,
    content_of,
    fit,
    length,
    links,
    topic_of,
    tracked,
)
from shared.contracts.articles import Article, Correction, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Frozen", "compose", "compose_reply", "fit", "length"]

MAX_LINKS = 5
ALT_LIMIT = 1000
IMAGE_BYTES = 8 * 1024 * 1024
IMAGE_WIDTH = 1440
"""Pixels; the network scales wider images down to this."""
IMAGE_RATIO = 10
IMAGE_TYPES = frozenset({"image/jpeg", "image/png"})


class Frozen(BaseModel):
    """All that is sent. The container made of it is remembered by `key`, the post looked up by `link`."""

    model_config = ConfigDict(frozen=True)

    key: str
    composed_at: datetime
    text: str
    link: str
    link_attachment: str | None = None
    """Shown as a card; only beside text alone."""
    image_url: str | None = None
    """One of our own renditions, which the network fetches: its address names its content."""
    alt: str = ""
    topic: str | None = None
    reply_to: str | None = None

    def container(self) -> dict[str, str]:
        """The fields of `POST /{user}/threads`."""
        told = {
            "media_type": "IMAGE" if self.image_url else "TEXT",
            "text": self.text,
            "link_attachment": self.link_attachment,
            "image_url": self.image_url,
            "alt_text": self.alt,
            "topic_tag": self.topic,
            "reply_to_id": self.reply_to,
        }
        return {name: value for name, value in told.items() if value}


def compose(article: Article, *, key: str, now: datetime, settings: ThreadsSettings) -> Frozen:
    """The post about `article`: with its lead image, or with the card of its link.

    Raises `GiveUp` where the editor's words have more links than the network takes.
    """
    link = tracked(article.url, content_of(article.publication))
    lead = article.lead_image if settings.media == "image" else None
    rendition = best_rendition(lead) if lead else None
    own_words = cleaned(article.social.get("threads", ""))
    # An editor who wrote the address into the text has placed the link.
    body = address(article.url).sub(lambda _: link, own_words) or _lead(article)
    text = fit(body)
    if rendition and not address(link).search(text):
        text = _with_link(body, link)
    frozen = Frozen(
        key=key,
        composed_at=now,
        text=text or link,
        link=link,
        link_attachment=None if rendition else link,
        image_url=rendition.url if rendition else None,
        alt=fitting.fit(cleaned(lead.alt), ALT_LIMIT, length) if lead and rendition else "",
        topic=topic_of(article.tags, text) if settings.topic else None,
    )
    if len(links(frozen.text, frozen.link_attachment)) > MAX_LINKS:
        raise GiveUp(f"the words for Threads have more than the {MAX_LINKS} links it takes")
    return frozen


def compose_reply(
    article: Article,
    *,
    key: str,
    now: datetime,
    settings: ThreadsSettings,
    reply_to: str,
    told: int,
) -> Frozen:
    """A reply to our post that says what was wrong: the network knows no edit.

    It carries every notice after the first `told`, the newest first: of corrections that follow
    each other quickly only the last is sent.
    """
    link = tracked(article.url, content_of(article.publication, len(article.corrections) or 1))
    return Frozen(
        key=key,
        composed_at=now,
        text=fit(_notice(article.corrections[told:], article, settings)),
        link=link,
        link_attachment=link,
        reply_to=reply_to,
    )


def best_rendition(image: LeadImage) -> Rendition | None:
    """The smallest rendition that is wide enough, else the widest; None where the network takes none."""
    taken = [
        one
        for one in image.renditions
        if one.media_type in IMAGE_TYPES
        and one.size <= IMAGE_BYTES
        and max(one.width, one.height) <= IMAGE_RATIO * min(one.width, one.height)
    ]
    return min(
        taken,
        key=lambda one: (one.width < IMAGE_WIDTH, abs(one.width - IMAGE_WIDTH)),
        default=None,
    )


def _with_link(body: str, link: str) -> str:
    room = LIMIT - length(link) - 2
    if room < -2:
        raise GiveUp(f"the link alone is longer than the {LIMIT} characters of a post")
    text = fit(body, max(room, 0))
    return f"{text}\n\n{link}" if text else link


def _notice(corrections: Sequence[Correction], article: Article, settings: ThreadsSettings) -> str:
    labels = {str(kind): label for kind, label in settings.labels.items()}
    told = [
        cleaned(f"{labels.get(one.kind, one.kind.capitalize())}: {one.text or article.headline}")
        for one in reversed(corrections)
    ]
    return "\n\n".join(told) or cleaned(
        f"{labels.get('correction', 'Correction')}: {article.headline}"
    )


def _lead(article: Article) -> str:
    parts = (cleaned(article.headline), cleaned(article.standfirst or article.summary))
    return "\n\n".join(part for part in parts if part)
