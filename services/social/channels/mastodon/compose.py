"""Composes the exact Mastodon status for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

import regex
from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.article_words import lead, notice, own_words
from services.social.channels.campaign import content_of, tracked
from services.social.channels.layout import GAP, Layout
from services.social.channels.mastodon.settings import MastodonSettings
from services.social.channels.mastodon.wording import fit, length
from services.social.channels.pictures import Picture, PictureLimits
from services.social.channels.plaintext import address, cleaned, hashtags
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Image", "Limits", "Remembered", "StatusPayload", "compose", "fit", "length"]

SHOWN_PIXELS = 8_294_400
"""Mastodon scales larger images down to this (MediaAttachment), so more only costs time."""
NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
CHINESE = frozenset({"zh-CN", "zh-HK", "zh-TW"})
"""The only regional codes that a server takes; it drops any other without a word."""


class Limits(BaseModel):
    """What this server takes; the defaults are those of an unchanged Mastodon."""

    model_config = ConfigDict(frozen=True)

    max_characters: int = 500
    characters_reserved_per_url: int = 23
    description_limit: int = 1500
    supported_mime_types: frozenset[str] = frozenset(
        {"image/jpeg", "image/png", "image/gif", "image/webp"}
    )
    image_size_limit: int = 16 * 1024 * 1024
    image_matrix_limit: int = 33_177_600

    @property
    def pictures(self) -> PictureLimits:
        return PictureLimits(
            self.supported_mime_types,
            f"at most {self.image_size_limit:,} bytes and {self.image_matrix_limit:,} pixels",
            most_bytes=self.image_size_limit,
            also=lambda each: each.width * each.height <= self.image_matrix_limit,
        )


class Image(Picture):
    """One image of the status. `media_id` is set when it is on the server already."""

    alt: str
    width: int
    height: int
    focus: tuple[float, float]
    """Mastodon's own axes: -1 to 1, right and up."""
    media_id: str | None = None


class Remembered(BaseModel):
    """What `Posted.extra` keeps of the last state that readers saw; empty where a person told of the post."""

    text: str = ""
    language: str | None = None
    notice: bool = False
    media_id: str | None = None
    sha256: str | None = None
    alt: str = ""


class StatusPayload(BaseModel):
    """All that is sent for a post or an edit. `notice` says whether it carries a public correction."""

    model_config = ConfigDict(frozen=True)

    idempotency_key: str
    composed_at: datetime
    status: str
    link: str
    visibility: Literal["public", "unlisted", "private"]
    language: str | None
    image: Image | None
    notice: bool

    def remembered(self, media_id: str | None) -> dict[str, Any]:
        """`Posted.extra` once this payload has been accepted."""
        return Remembered(
            text=self.status,
            language=self.language,
            notice=self.notice,
            media_id=media_id,
            sha256=self.image.sha256 if self.image else None,
            alt=self.image.alt if self.image else "",
        ).model_dump()


def compose(
    article: Article,
    *,
    key: str,
    now: datetime,
    settings: MastodonSettings,
    limits: Limits,
    image: Image | None = None,
    before: Remembered | None = None,
    correction: bool = False,
) -> StatusPayload | None:
    """The status for `article`; None when readers see all of it already (`before`).

    `correction` demands a public notice; a status that carries one keeps it in later edits.
    Raises `GiveUp` when the server's limit leaves no room for the link.
    """
    notified = correction or (before is not None and before.notice)
    link = tracked(article.url, settings, content_of(article.publication))
    if image and before and image.sha256 == before.sha256:
        image = image.model_copy(update={"media_id": before.media_id})
    payload = StatusPayload(
        idempotency_key=hashlib.sha256(key.encode()).hexdigest(),
        composed_at=now,
        status=_text(
            article, settings, limits, link, notice(article, settings.labels) if notified else ""
        ),
        link=link,
        visibility=settings.visibility,
        language=_language(article.language) or settings.language,
        image=image,
        notice=notified,
    )
    if before is not None and payload.remembered(before.media_id) == before.model_dump():
        return None
    return payload


def best_rendition(image: LeadImage, limits: Limits) -> Rendition | None:
    """The largest rendition the server takes and shows in full, else the smallest it takes at all."""
    return limits.pictures.largest_shown(
        image, lambda each: each.width * each.height <= SHOWN_PIXELS
    )


def described(image: LeadImage, rendition: Rendition, data: bytes, limits: Limits) -> Image:
    """What is sent of `rendition`, with the hash of the bytes that were read."""
    x, y = image.focus
    return Image.of(
        rendition,
        data,
        # The description's limit is in code points, unlike that of the text.
        alt=fitting.fit(cleaned(image.alt), limits.description_limit, len),
        width=rendition.width,
        height=rendition.height,
        focus=(round(2 * x - 1, 4), round(1 - 2 * y, 4)),
    )


def _text(
    article: Article, settings: MastodonSettings, limits: Limits, link: str, said: str
) -> str:
    reserved = limits.characters_reserved_per_url
    layout = Layout(limits.max_characters, lambda text: length(text, reserved))
    body = own_words(article, "mastodon", link) or lead(article)
    parts = layout.linked(said, body, link, lambda text: address(link).search(text) is not None)
    text = GAP.join(parts)
    if not layout.fits(text):
        said = f"the {limits.max_characters} characters this server allows"
        raise GiveUp(f"the link alone is longer than {said}")
    return layout.tagged(text, hashtags(article.tags, text)[: settings.hashtags])


def _language(tag: str) -> str | None:
    """The ISO 639 code that a server knows for a BCP 47 tag; None when there is none."""
    if tag in CHINESE:
        return tag
    primary = tag.partition("-")[0].lower()
    known = regex.fullmatch(r"[a-z]{2,3}", primary) and primary not in NO_LANGUAGE
    return primary if known else None
