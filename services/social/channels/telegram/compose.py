"""Composes the exact Telegram message for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.social.channels.article_words import lead, notice, own_words
from services.social.channels.campaign import tracked
from services.social.channels.layout import GAP, Layout
from services.social.channels.pictures import Picture, PictureLimits
from services.social.channels.plaintext import address, hashtags
from services.social.channels.telegram.settings import TelegramSettings
from services.social.channels.telegram.wording import composed, escaped, fit, length
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["MessagePayload", "Photo", "Remembered", "compose", "fit", "length"]

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
"""UTF-16 units of a text and of what stands below a photo, after markup and escapes are taken away."""
PHOTO_SIDES, PHOTO_RATIO = 10_000, 20
"""Most that width and height may come to together, and that the longer may be of the shorter."""


def _is_of_a_taken_shape(each: Rendition) -> bool:
    longer, shorter = max(each.width, each.height), min(each.width, each.height)
    return longer + shorter <= PHOTO_SIDES and longer <= PHOTO_RATIO * shorter


PHOTOS = PictureLimits(
    frozenset({"image/jpeg", "image/png"}),
    "a JPEG or PNG of at most 10 MB, 10,000 pixels of width and height together, and 20:1",
    most_bytes=10 * 1024 * 1024,
    also=_is_of_a_taken_shape,
)
SHOWN_SIDE = 2560
"""Telegram scales larger photos down to this, so more only costs time."""


class Photo(Picture):
    """The photo of a message."""


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
    notified = correction or (before is not None and before.notice)
    sha256 = photo.sha256 if photo else None
    kind: Literal["text", "photo", "caption"] = "photo" if photo else "text"
    if before is not None and before.sha256 is None:
        kind, photo, sha256 = "text", None, None
    elif before is not None and sha256 in {None, before.sha256}:
        # The network cannot take a photo away, so one that the article lost stays.
        kind, photo, sha256 = "caption", None, before.sha256
    limit = TEXT_LIMIT if kind == "text" else CAPTION_LIMIT
    link = tracked(article.url, settings)
    said = composed(notice(article, settings.labels)) if notified else ""
    text, html = _text(article, settings, link, limit, said)
    payload = MessagePayload(
        kind=kind,
        text=text,
        html=html,
        link=link,
        notice=notified,
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
    return PHOTOS.largest_shown(image, lambda each: max(each.width, each.height) <= SHOWN_SIDE)


def _text(
    article: Article, settings: TelegramSettings, link: str, limit: int, said: str
) -> tuple[str, str]:
    """The message as people read it, and as HTML with the headline in bold."""
    layout = Layout(limit, length)
    own = composed(own_words(article, "telegram", link))
    headline = "" if own else composed(article.headline)
    parts = layout.linked(
        said,
        own or composed(lead(article)),
        link,
        lambda text: address(link).search(text) is not None,
    )
    text = GAP.join(parts)
    if not layout.fits(text):
        raise GiveUp(f"the link alone is longer than the {limit} characters this network allows")
    text = layout.tagged(text, hashtags(article.tags, text)[: settings.hashtags])
    start = len(parts[0]) + len(GAP) if said else 0
    end = start + len(headline)
    if not headline or text[start:end] != headline:
        return text, escaped(text)
    bold = f"<b>{escaped(headline)}</b>"
    return text, f"{escaped(text[:start])}{bold}{escaped(text[end:])}"
