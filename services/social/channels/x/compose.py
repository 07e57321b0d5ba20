"""Composes the exact X post for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.article_words import lead, notices, own_words
from services.social.channels.campaign import content_of, notice_content, tracked
from services.social.channels.layout import GAP
from services.social.channels.pictures import Picture, PictureLimits
from services.social.channels.plaintext import hashtags
from services.social.channels.x.settings import XSettings
from services.social.channels.x.wording import LAYOUT, LIMIT, composed, fit, length, shows
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Image", "PostPayload", "Remembered", "compose", "compose_reply", "fit", "length"]

IMAGE_WIDTH = 2048
"""Pixels beyond which readers see no difference: the network shows no more."""
PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png", "image/webp"}),
    "a JPEG, PNG or WebP of at most 5 MB",
    most_bytes=5 * 1024 * 1024,
)
ALT_LIMIT = 1000
EDITS = 5
"""How often a post may be edited."""
EDIT_MARGIN = timedelta(minutes=3)
"""An edit that would come in the last minutes of its window may be late, so a reply takes its place."""


class Image(Picture):
    """The one image of a post."""

    alt: str


class Remembered(BaseModel):
    """What `Posted.extra` keeps of the post that readers see; empty where a person told of it."""

    text: str = ""
    notice: bool = False
    sha256: str | None = None
    alt: str = ""
    posted_at: datetime | None = None
    """When the first version was composed: the network counts its window for edits from the post."""
    edits: int = 0
    replies: tuple[str, ...] = ()
    """Ids of our corrections below the post, oldest first."""

    def editable(self, now: datetime, minutes: int) -> bool:
        """Whether an account that may edit for `minutes` may still edit this post."""
        if self.posted_at is None or self.edits >= EDITS:
            return False
        return now < self.posted_at + timedelta(minutes=minutes) - EDIT_MARGIN


class PostPayload(BaseModel):
    """All that is sent for a post, an edit or a correction. The look-up goes by `link` and the two ids."""

    model_config = ConfigDict(frozen=True)

    composed_at: datetime
    text: str
    link: str
    image: Image | None = None
    notice: bool = False
    previous_post_id: str | None = None
    """The version that this one takes the place of."""
    in_reply_to: str | None = None


def compose(
    article: Article,
    *,
    now: datetime,
    settings: XSettings,
    image: Image | None = None,
    previous_post_id: str | None = None,
    before: Remembered | None = None,
    correction: bool = False,
) -> PostPayload | None:
    """The post about `article`, or the next version of `previous_post_id`; None when that differs in nothing.

    `correction` demands a public notice; a post that carries one keeps it in later versions.
    """
    notified = correction or (before is not None and before.notice)
    link = tracked(article.url, settings, content_of(article.publication))
    last = max(0, len(article.corrections) - 1)
    said = composed(notices(article, last, settings.labels)) if notified else ""
    payload = PostPayload(
        composed_at=now,
        text=_text(article, settings, link, said),
        link=link,
        image=image,
        notice=notified,
        previous_post_id=previous_post_id,
    )
    if before is not None and (before.text, before.notice, before.sha256, before.alt) == (
        payload.text,
        payload.notice,
        image.sha256 if image else None,
        image.alt if image else "",
    ):
        return None
    return payload


def compose_reply(
    article: Article, *, now: datetime, settings: XSettings, in_reply_to: str, told: int
) -> PostPayload:
    """A reply to our post that says what was wrong, for an account or a time that allows no edit.

    It carries every notice after the first `told`, the newest first: of corrections that follow
    each other quickly only the last is sent.
    """
    link = tracked(article.url, settings, notice_content(article))
    text = _stacked(LAYOUT.stacked("", composed(notices(article, told, settings.labels)), link))
    return PostPayload(composed_at=now, text=text, link=link, in_reply_to=in_reply_to)


def candidates(image: LeadImage) -> list[Rendition]:
    """Renditions the network takes, best first: the smallest that is wide enough, else the widest."""
    return PICTURES.by_width(image, IMAGE_WIDTH)


def alt_of(image: LeadImage) -> str:
    """The alt text, cut to the network's limit, which is in code points."""
    return fitting.fit(composed(image.alt), ALT_LIMIT, len)


def body_of(payload: PostPayload, media_id: str | None) -> dict[str, Any]:
    """The JSON of `POST /2/tweets`."""
    body: dict[str, Any] = {"text": payload.text}
    if media_id:
        body["media"] = {"media_ids": [media_id]}
    if payload.in_reply_to:
        body["reply"] = {"in_reply_to_tweet_id": payload.in_reply_to}
    if payload.previous_post_id:
        body["edit_options"] = {"previous_post_id": payload.previous_post_id}
    return body


def _text(article: Article, settings: XSettings, link: str, said: str) -> str:
    body = composed(own_words(article, "x", link) or lead(article))
    text = _stacked(LAYOUT.linked(said, body, link, lambda text: shows(text, link)))
    tags = [composed(tag) for tag in article.tags]
    return LAYOUT.tagged(text, hashtags(tags, text)[: settings.hashtags])


def _stacked(parts: list[str]) -> str:
    """Raises `GiveUp` where the link alone is too long: the network knows no link in it and counts each character."""
    text = GAP.join(parts)
    if not LAYOUT.fits(text):
        raise GiveUp(f"the link alone is longer than the {LIMIT} characters of a post")
    return text
