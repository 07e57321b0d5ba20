"""Composes the exact post of a Facebook Page for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import regex
from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.facebook.settings import FacebookSettings
from shared.contracts.articles import Article, LeadImage, Rendition

__all__ = ["Frozen", "Image", "Remembered", "address", "compose", "fit", "length"]

LIMIT = 63_206
"""UTF-16 code units of a message."""
IMAGE_BYTES = 4_000_000
MEDIA_TYPES = frozenset({"image/jpeg", "image/png"})
SHOWN_WIDTH = 2048
"""Facebook scales wider pictures down to this."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}]+")
_HASHTAG = regex.compile(r"[#＃]([\w\p{M}]+)")
_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class Image(BaseModel):
    """The picture of the post, fixed by its hash; the bytes are fetched again when it is sent."""

    model_config = ConfigDict(frozen=True)

    url: str
    sha256: str
    size: int
    media_type: str
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


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, length)


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
    notice = correction or (before is not None and before.notice)
    link_in_text = image is not None
    if before is not None:
        told = before.link_in_text
        link_in_text = settings.media == "image" if told is None else told
    frozen = Frozen(
        page_id=settings.page_id,
        composed_at=now,
        message=_text(article, settings, notice, link_in_text),
        link=_tracked(article.url, article.publication),
        link_in_text=link_in_text,
        image=image,
        notice=notice,
    )
    if before is not None and (frozen.message, notice) == (before.message, before.notice):
        return None
    return frozen


def best_rendition(image: LeadImage) -> Rendition | None:
    """The widest rendition that the network takes and shows in full, else the narrowest it takes."""
    taken = [
        each
        for each in image.renditions
        if each.media_type in MEDIA_TYPES and each.size <= IMAGE_BYTES
    ]
    shown = [each for each in taken if each.width <= SHOWN_WIDTH]
    if shown:
        return max(shown, key=lambda each: (each.width, -each.size))
    return min(taken, key=lambda each: each.width, default=None)


def described(image: LeadImage, rendition: Rendition, data: bytes) -> Image:
    """What is sent of `rendition`, with the hash of the bytes that were read."""
    return Image(
        url=rendition.url,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        media_type=rendition.media_type,
        alt=cleaned(image.alt),
    )


def cleaned(text: str) -> str:
    """`text` without invisible control characters, line ends as one sign."""
    return str(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()


def address(url: str) -> regex.Pattern[str]:
    """Matches `url` in a text where it stands whole, not as the beginning of a longer address."""
    return regex.compile(regex.escape(url) + r"(?![\w\p{M}/?#&=%~+-]|[.,:;!]\w)")


def _text(article: Article, settings: FacebookSettings, notice: bool, link_in_text: bool) -> str:
    link = _tracked(article.url, article.publication)
    own_words = cleaned(article.social.get("facebook", ""))
    # An editor who wrote the address into the text has placed the link.
    body = address(article.url).sub(lambda _: link, own_words) or _lead(article)
    said = _notice(article, settings) if notice else ""
    text = _stacked(said, body, "")
    if link_in_text and not address(link).search(text):
        text = _stacked(said, body, link)
    before = "\n\n"
    for tag in _hashtags(article.tags, text)[: settings.hashtags]:
        if length(longer := f"{text}{before}{tag}") <= LIMIT:
            text, before = longer, " "
    return text


def _stacked(notice: str, body: str, link: str) -> str:
    """Notice, body and link under each other; first the body gives way, then the notice."""
    room = LIMIT - (length(link) + 2 if link else 0)
    if notice:
        free = room - length(body) - 2
        notice = fit(notice, max(free, room // 2))
        room -= length(notice) + 2
    return "\n\n".join(part for part in (notice, fit(body, room), link) if part)


def _notice(article: Article, settings: FacebookSettings) -> str:
    if not article.corrections:
        return settings.labels["correction"]
    last = article.corrections[-1]
    label = settings.labels.get(last.kind, last.kind.capitalize())
    return cleaned(f"{label}: {last.text}")


def _lead(article: Article) -> str:
    parts = (cleaned(article.headline), cleaned(article.standfirst or article.summary))
    return "\n\n".join(part for part in parts if part)


def _hashtags(tags: tuple[str, ...], text: str) -> list[str]:
    """CamelCase hashtags of letters and digits that `text` has not got already."""
    present = {found.casefold() for found in _HASHTAG.findall(text)}
    made: list[str] = []
    for tag in tags:
        name = "".join(word[:1].upper() + word[1:] for word in _WORD.findall(tag))
        if regex.search(r"\p{L}", name) and name.casefold() not in present:
            present.add(name.casefold())
            made.append(f"#{name}")
    return made


def _tracked(url: str, publication: int) -> str:
    """The address with our campaign parameters; a later publication is told apart by its number."""
    parts = urlsplit(url)
    own = f"{parts.query}&" if parts.query else ""
    again = f"&utm_content={publication}" if publication > 1 else ""
    return parts._replace(query=f"{own}utm_source=facebook&utm_medium=social{again}").geturl()
