"""Composes the exact Discord message for an article, counting as the network counts.

Never does input or output, and never leaves out the link.
"""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.discord.markdown import (
    address,
    cleaned,
    escaped,
    fit,
    length,
    tracked,
)
from services.social.channels.discord.settings import DiscordSettings
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Embed", "Image", "MessagePayload", "Remembered", "compose", "fit", "length"]

CONTENT_LIMIT, TITLE_LIMIT, DESCRIPTION_LIMIT, ALT_LIMIT = 2000, 256, 4096, 1024
"""UTF-16 units as sent. All parts of an embed together may have 6000, which these cannot reach."""
URL_LIMIT = 2048
UPLOAD_BYTES = 10 * 1024 * 1024
"""What a server without paid boosts takes."""
SHOWN_SIDE = 2048
"""More is never shown, so it only costs time."""
MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


class Image(BaseModel):
    """The image of a message, fixed by its hash; the bytes are fetched again when it is sent."""

    model_config = ConfigDict(frozen=True)

    url: str
    sha256: str
    size: int
    """Bytes."""
    media_type: str
    alt: str

    @property
    def filename(self) -> str:
        return f"lead.{self.media_type.partition('/')[2]}"


class Embed(BaseModel):
    """The card, its texts in Markdown."""

    model_config = ConfigDict(frozen=True)

    title: str
    description: str
    url: str
    timestamp: str | None


class Remembered(BaseModel):
    """What `Posted.extra` keeps of the last state that readers saw."""

    content: str = ""
    embed: Embed | None = None
    sha256: str | None = None
    alt: str = ""
    notice: bool = False


class MessagePayload(BaseModel):
    """All that is sent for a post or an edit."""

    model_config = ConfigDict(frozen=True)

    content: str
    """Markdown."""
    embed: Embed | None
    image: Image | None
    link: str
    notice: bool
    text: str
    """What people read, card included."""
    length: int
    limit: int
    """Of the part that is nearest to its limit."""

    def remembered(self) -> dict[str, Any]:
        """`Posted.extra` once this payload has been accepted."""
        return Remembered(
            content=self.content,
            embed=self.embed,
            sha256=self.image.sha256 if self.image else None,
            alt=self.image.alt if self.image else "",
            notice=self.notice,
        ).model_dump()


def compose(
    article: Article,
    *,
    settings: DiscordSettings,
    image: Image | None = None,
    before: Remembered | None = None,
    correction: bool = False,
) -> MessagePayload | None:
    """The message for `article`; None when readers see all of it already (`before`).

    `correction` demands a public notice; a message that carries one keeps it in later edits.
    Raises `GiveUp` when the link is longer than the network takes.
    """
    notice = correction or (before is not None and before.notice)
    said = _notice(article, settings) if notice else ""
    own_words = cleaned(article.social.get("discord", ""))
    headline, standfirst = cleaned(article.headline), cleaned(article.standfirst or article.summary)
    link = tracked(article.url)
    if length(link) > URL_LIMIT:
        raise GiveUp(f"the link is longer than the {URL_LIMIT} characters this network allows")
    # An editor who wrote the address into the text has placed the link.
    placed = address(article.url).sub(lambda _: link, own_words)
    if settings.media == "card":
        title = fit(headline or link, TITLE_LIMIT)
        description = fit(standfirst, DESCRIPTION_LIMIT)
        content = _stacked(said, placed, "", link)
        embed = Embed(
            title=escaped(title),
            description=escaped(description),
            url=link,
            timestamp=_instant(article),
        )
    else:
        title = description = ""
        body = placed or "\n\n".join(part for part in (headline, standfirst) if part)
        content = _stacked(said, body, "", link)
        if not address(link).search(content):
            content = _stacked(said, body, link, link)
        embed = None
    sent = escaped(content, link)
    if length(sent) > CONTENT_LIMIT:
        raise GiveUp(f"the link alone is longer than the {CONTENT_LIMIT} characters of a message")
    parts = (
        (length(sent), CONTENT_LIMIT),
        (length(escaped(title)), TITLE_LIMIT),
        (length(escaped(description)), DESCRIPTION_LIMIT),
    )
    fullest = max(parts, key=lambda part: part[0] / part[1])
    payload = MessagePayload(
        content=sent,
        embed=embed,
        image=image,
        link=link,
        notice=notice,
        text="\n\n".join(part for part in (content, title, description) if part),
        length=fullest[0],
        limit=fullest[1],
    )
    if before is not None and payload.remembered() == before.model_dump():
        return None
    return payload


def best_rendition(image: LeadImage) -> Rendition | None:
    """The largest rendition that the network takes and shows in full, else the smallest it takes."""
    taken = [
        each
        for each in image.renditions
        if each.media_type in MEDIA_TYPES and each.size <= UPLOAD_BYTES
    ]
    shown = [each for each in taken if max(each.width, each.height) <= SHOWN_SIDE]
    if shown:
        return max(shown, key=lambda each: (each.width * each.height, -each.size))
    return min(taken, key=lambda each: each.width * each.height, default=None)


def described(image: LeadImage, rendition: Rendition, data: bytes) -> Image:
    """What is sent of `rendition`, with the hash of the bytes that were read."""
    return Image(
        url=rendition.url,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        media_type=rendition.media_type,
        # Alt text is no Markdown, so it is counted as it is.
        alt=fitting.fit(cleaned(image.alt), ALT_LIMIT, length),
    )


def _stacked(notice: str, body: str, end: str, link: str) -> str:
    """Notice, body and `end` under each other, in plain text; first the body gives way."""

    def size(text: str) -> int:
        return length(escaped(text, link))

    room = CONTENT_LIMIT - (size(end) + 2 if end else 0)
    if notice:
        free = room - size(body) - 2
        notice = fit(notice, max(free, room // 2), link)
        room -= size(notice) + 2
    parts = (notice, fit(body, room, link), end)
    return "\n\n".join(part for part in parts if part)


def _notice(article: Article, settings: DiscordSettings) -> str:
    if not article.corrections:
        return settings.labels["correction"]
    last = article.corrections[-1]
    label = settings.labels.get(last.kind, last.kind.capitalize())
    return cleaned(f"{label}: {last.text}")


def _instant(article: Article) -> str | None:
    at = article.published_at
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None
