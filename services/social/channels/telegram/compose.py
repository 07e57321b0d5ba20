"""Composes the exact Telegram message for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.social.channels.telegram.settings import TelegramSettings
from services.social.channels.telegram.wording import (
    address,
    cleaned,
    escaped,
    fit,
    hashtags,
    length,
    tracked,
)
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["MessagePayload", "Photo", "Remembered", "compose", "fit", "length"]

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
"""UTF-16 units of a text and of what stands below a photo, after markup and escapes are taken away."""
PHOTO_BYTES = 10 * 1024 * 1024
PHOTO_SIDES, PHOTO_RATIO = 10_000, 20
"""Most that width and height may come to together, and that the longer may be of the shorter."""
PHOTO_TYPES = frozenset({"image/jpeg", "image/png"})
SHOWN_SIDE = 2560
"""Telegram scales larger photos down to this, so more only costs time."""


class Photo(BaseModel):
    """The photo of a message, fixed by its hash; the bytes are fetched again when it is sent."""

    model_config = ConfigDict(frozen=True)

    url: str
    sha256: str
    size: int
    """Bytes."""
    media_type: str


class Remembered(BaseModel):
    """What `Posted.extra` keeps of the last state that readers saw. Without `sha256` it has no photo."""

    html: str = ""
    notice: bool = False
    sha256: str | None = None
    chat: str | None = None
    """The account's chat when it was posted: a name or a number."""
    chat_id: int | None = None


class MessagePayload(BaseModel):
    """All that is sent for a post or an edit, except to whom."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["text", "photo", "caption"]
    """`text`: a message without photo. `photo`: the photo is sent too. `caption`: it is there already."""
    text: str
    """What people read."""
    html: str
    """The same in parse mode HTML."""
    link: str
    notice: bool
    photo: Photo | None = None
    """With kind `photo` only."""
    sha256: str | None = None
    """Of the photo that the message has afterwards."""

    @property
    def limit(self) -> int:
        return TEXT_LIMIT if self.kind == "text" else CAPTION_LIMIT

    def remembered(self, chat: str | None, chat_id: int | None) -> dict[str, Any]:
        """`Posted.extra` once this payload has been accepted."""
        return Remembered(
            html=self.html, notice=self.notice, sha256=self.sha256, chat=chat, chat_id=chat_id
        ).model_dump()


def compose(
    article: Article,
    *,
    settings: TelegramSettings,
    photo: Photo | None = None,
    before: Remembered | None = None,
    correction: bool = False,
) -> MessagePayload | None:
    """The message for `article`; None when readers see all of it already (`before`).

    `correction` demands a public notice; a message that carries one keeps it in later edits. A text
    stays a text and a photo stays a photo when edited. Raises `GiveUp` when the link has no room.
    """
    notice = correction or (before is not None and before.notice)
    sha256 = photo.sha256 if photo else None
    kind: Literal["text", "photo", "caption"] = "photo" if photo else "text"
    if before is not None and before.sha256 is None:
        kind, photo, sha256 = "text", None, None
    elif before is not None and sha256 in {None, before.sha256}:
        # The network cannot take a photo away, so one that the article lost stays.
        kind, photo, sha256 = "caption", None, before.sha256
    limit = TEXT_LIMIT if kind == "text" else CAPTION_LIMIT
    text, html = _text(article, settings, limit, _notice(article, settings) if notice else "")
    payload = MessagePayload(
        kind=kind,
        text=text,
        html=html,
        link=tracked(article.url),
        notice=notice,
        photo=photo,
        sha256=sha256,
    )
    if (
        before is not None
        and payload.remembered(before.chat, before.chat_id) == before.model_dump()
    ):
        return None
    return payload


def best_rendition(image: LeadImage) -> Rendition | None:
    """The largest rendition that the network takes and shows in full, else the smallest it takes."""
    taken = [
        each
        for each in image.renditions
        if each.media_type in PHOTO_TYPES
        and each.size <= PHOTO_BYTES
        and each.width + each.height <= PHOTO_SIDES
        and max(each.width, each.height) <= PHOTO_RATIO * min(each.width, each.height)
    ]
    shown = [each for each in taken if max(each.width, each.height) <= SHOWN_SIDE]
    if shown:
        return max(shown, key=lambda each: (each.width * each.height, -each.size))
    return min(taken, key=lambda each: each.width * each.height, default=None)


def pictured(rendition: Rendition, data: bytes) -> Photo:
    """What is sent of `rendition`, with the hash of the bytes that were read."""
    return Photo(
        url=rendition.url,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        media_type=rendition.media_type,
    )


def _text(article: Article, settings: TelegramSettings, limit: int, notice: str) -> tuple[str, str]:
    """The message as people read it, and as HTML with the headline in bold."""
    link = tracked(article.url)
    own_words = cleaned(article.social.get("telegram", ""))
    headline = "" if own_words else cleaned(article.headline)
    standfirst = cleaned(article.standfirst or article.summary)
    lead = "\n\n".join(part for part in (headline, standfirst) if part)
    # An editor who wrote the address into the text has placed the link.
    body = address(article.url).sub(lambda _: link, own_words) or lead
    parts = _stacked(notice, body, "", limit)
    if not address(link).search("\n\n".join(parts)):
        parts = _stacked(notice, body, link, limit)
    text = "\n\n".join(parts)
    if length(text) > limit:
        raise GiveUp(f"the link alone is longer than the {limit} characters this network allows")
    before = "\n\n"
    for tag in hashtags(article.tags, text)[: settings.hashtags]:
        if length(longer := f"{text}{before}{tag}") <= limit:
            text, before = longer, " "
    start = len(parts[0]) + len("\n\n") if notice else 0
    end = start + len(headline)
    if not headline or text[start:end] != headline:
        return text, escaped(text)
    bold = f"<b>{escaped(headline)}</b>"
    return text, f"{escaped(text[:start])}{bold}{escaped(text[end:])}"


def _stacked(notice: str, body: str, link: str, limit: int) -> list[str]:
    """Notice, body and link; first the body gives way, then the notice."""
    room = limit - (length(link) + 2 if link else 0)
    if notice:
        free = room - length(body) - 2
        notice = fit(notice, max(free, room // 2))
        room -= length(notice) + 2
    return [part for part in (notice, fit(body, room), link) if part]


def _notice(article: Article, settings: TelegramSettings) -> str:
    if not article.corrections:
        return settings.labels["correction"]
    last = article.corrections[-1]
    label = settings.labels.get(last.kind, last.kind.capitalize())
    return cleaned(f"{label}: {last.text}")
