"""Composes the exact Discord message for an article, counting as the network counts.

Never does input or output, and never leaves out the link.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.article_words import lead, notice, own_words
from services.social.channels.campaign import tracked
from services.social.channels.discord.markdown import escaped, fit, length
from services.social.channels.discord.settings import DiscordSettings
from services.social.channels.layout import GAP, Layout
from services.social.channels.pictures import Picture, PictureLimits
from services.social.channels.plaintext import address, cleaned
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Embed", "Image", "MessagePayload", "Remembered", "compose", "fit", "length"]

CONTENT_LIMIT, TITLE_LIMIT, DESCRIPTION_LIMIT, ALT_LIMIT = 2000, 256, 4096, 1024
"""UTF-16 units as sent. All parts of an embed together may have 6000, which these cannot reach."""
URL_LIMIT = 2048
PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
    # What a server without paid boosts takes.
    "a JPEG, PNG, GIF or WebP of at most 10 MB",
    most_bytes=10 * 1024 * 1024,
)
SHOWN_SIDE = 2048
"""More is never shown, so it only costs time."""


class Image(Picture):
    """The image of a message."""

    alt: str


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
    notified = correction or (before is not None and before.notice)
    said = notice(article, settings.labels) if notified else ""
    headline, standfirst = cleaned(article.headline), cleaned(article.standfirst or article.summary)
    link = tracked(article.url, settings)
    if length(link) > URL_LIMIT:
        raise GiveUp(f"the link is longer than the {URL_LIMIT} characters this network allows")
    placed = own_words(article, "discord", link)
    layout = Layout(CONTENT_LIMIT, lambda text: length(escaped(text, link)))
    if settings.media == "card":
        title = fit(headline or link, TITLE_LIMIT)
        description = fit(standfirst, DESCRIPTION_LIMIT)
        content = GAP.join(layout.stacked(said, placed))
        embed = Embed(
            title=escaped(title),
            description=escaped(description),
            url=link,
            timestamp=_instant(article),
        )
    else:
        title = description = ""
        body = placed or lead(article)
        content = GAP.join(
            layout.linked(said, body, link, lambda text: address(link).search(text) is not None)
        )
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
        notice=notified,
        text="\n\n".join(part for part in (content, title, description) if part),
        length=fullest[0],
        limit=fullest[1],
    )
    if before is not None and payload.remembered() == before.model_dump():
        return None
    return payload


def best_rendition(image: LeadImage) -> Rendition | None:
    """The largest rendition that the network takes and shows in full, else the smallest it takes."""
    return PICTURES.largest_shown(image, lambda each: max(each.width, each.height) <= SHOWN_SIDE)


def described(image: LeadImage, rendition: Rendition, data: bytes) -> Image:
    """What is sent of `rendition`, with the hash of the bytes that were read."""
    # Alt text is no Markdown, so it is counted as it is.
    return Image.of(rendition, data, alt=fitting.fit(cleaned(image.alt), ALT_LIMIT, length))


def _instant(article: Article) -> str | None:
    at = article.published_at
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None
