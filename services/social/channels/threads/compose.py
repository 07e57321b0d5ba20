"""Composes the exact Threads post for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is cut from the text.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.article_words import lead, notices, own_words
from services.social.channels.campaign import content_of, notice_content, tracked
from services.social.channels.layout import GAP
from services.social.channels.pictures import PictureLimits
from services.social.channels.plaintext import address, cleaned
from services.social.channels.threads.settings import ThreadsSettings
from services.social.channels.threads.wording import LAYOUT, LIMIT, fit, length, links, topic_of
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Frozen", "compose", "compose_reply", "fit", "length"]

MAX_LINKS = 5
ALT_LIMIT = 1000
IMAGE_WIDTH = 1440
"""Pixels; the network scales wider images down to this."""
IMAGE_RATIO = 10
PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png"}),
    "a JPEG or PNG of at most 8 MB and 10:1",
    most_bytes=8 * 1024 * 1024,
    also=lambda each: max(each.width, each.height) <= IMAGE_RATIO * min(each.width, each.height),
)


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
    link = tracked(article.url, settings, content_of(article.publication))
    image = article.lead_image if settings.media == "image" else None
    rendition = best_rendition(image) if image else None
    body = own_words(article, "threads", link) or lead(article)

    def shows(text: str) -> bool:
        return rendition is None or address(link).search(text) is not None

    text = GAP.join(LAYOUT.linked("", body, link, shows))
    if not LAYOUT.fits(text):
        raise GiveUp(f"the link alone is longer than the {LIMIT} characters of a post")
    frozen = Frozen(
        key=key,
        composed_at=now,
        text=text or link,
        link=link,
        link_attachment=None if rendition else link,
        image_url=rendition.url if rendition else None,
        alt=fitting.fit(cleaned(image.alt), ALT_LIMIT, length) if image and rendition else "",
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
    link = tracked(article.url, settings, notice_content(article))
    return Frozen(
        key=key,
        composed_at=now,
        text=fit(notices(article, told, settings.labels)),
        link=link,
        link_attachment=link,
        reply_to=reply_to,
    )


def best_rendition(image: LeadImage) -> Rendition | None:
    """The smallest rendition that is wide enough, else the widest; None where the network takes none."""
    return next(iter(PICTURES.by_width(image, IMAGE_WIDTH)), None)
