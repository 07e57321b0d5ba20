"""Composes the exact post of a Facebook Page for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.social.channels.article_words import lead, notice, own_words
from services.social.channels.campaign import content_of, tracked
from services.social.channels.facebook.settings import FacebookSettings
from services.social.channels.layout import GAP, Layout
from services.social.channels.pictures import Picture, PictureLimits
from services.social.channels.plaintext import address, cleaned, hashtags
from shared.contracts.articles import Article, LeadImage, Rendition

__all__ = ["Frozen", "Image", "Remembered", "compose", "fit", "length"]

LIMIT = 63_206
"""UTF-16 code units of a message."""
PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png"}), "a JPEG or PNG of at most 4 MB", most_bytes=4_000_000
)
SHOWN_WIDTH = 2048
"""Facebook scales wider pictures down to this."""


class Image(Picture):
    """The picture of the post."""

    alt: str


class Remembered(BaseModel):
    """What `Posted.extra` keeps of the state that readers saw last; empty where a person told of it."""

    message: str = ""
    notice: bool = False
    link_in_text: bool | None = None
    photo_id: str | None = None


class Frozen(BaseModel):
    """All that is sent for a post; of an edit only `message`, the rest cannot be changed."""

    model_config = ConfigDict(frozen=True)

    page_id: str
    composed_at: datetime
    message: str
    link: str
    link_in_text: bool
    """Whether the link is part of the message instead of a card of its own."""
    image: Image | None
    notice: bool

    def remembered(self, photo_id: str | None) -> dict[str, Any]:
        """`Posted.extra` once this payload has been accepted."""
        return Remembered(
            message=self.message,
            notice=self.notice,
            link_in_text=self.link_in_text,
            photo_id=photo_id,
        ).model_dump()


def length(text: str) -> int:
    """UTF-16 code units: never fewer than characters, so safe whichever of the two is counted."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


LAYOUT = Layout(LIMIT, length)


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return LAYOUT.fit(text, limit)


def compose(
    article: Article,
    *,
    now: datetime,
    settings: FacebookSettings,
    image: Image | None = None,
    before: Remembered | None = None,
    correction: bool = False,
) -> Frozen | None:
    """The post for `article`; None when readers see all of its text already (`before`).

    `correction` demands a public notice; a post that carries one keeps it in later edits. An edit
    leaves the link where it is: in the text, or on the card that cannot be changed.
    """
    notified = correction or (before is not None and before.notice)
    link_in_text = image is not None
    if before is not None:
        told = before.link_in_text
        link_in_text = settings.media == "image" if told is None else told
    link = tracked(article.url, settings, content_of(article.publication))
    frozen = Frozen(
        page_id=settings.page_id,
        composed_at=now,
        message=_text(article, settings, link, notified, link_in_text),
        link=link,
        link_in_text=link_in_text,
        image=image,
        notice=notified,
    )
    if before is not None and (frozen.message, notified) == (before.message, before.notice):
        return None
    return frozen


def best_rendition(image: LeadImage) -> Rendition | None:
    """The largest rendition that the network takes and shows in full, else the smallest it takes."""
    return PICTURES.largest_shown(image, lambda each: each.width <= SHOWN_WIDTH)


def described(image: LeadImage, rendition: Rendition, data: bytes) -> Image:
    """What is sent of `rendition`, with the hash of the bytes that were read."""
    return Image.of(rendition, data, alt=cleaned(image.alt))


def _text(
    article: Article, settings: FacebookSettings, link: str, notified: bool, link_in_text: bool
) -> str:
    body = own_words(article, "facebook", link) or lead(article)
    said = notice(article, settings.labels) if notified else ""

    def shows(text: str) -> bool:
        return not link_in_text or address(link).search(text) is not None

    text = GAP.join(LAYOUT.linked(said, body, link, shows))
    return LAYOUT.tagged(text, hashtags(article.tags, text)[: settings.hashtags])
