"""Composes the exact LinkedIn post for an article, counting as the network counts.

Never does input or output, and never leaves out the card: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import regex
from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.linkedin.littletext import readable, units, wire
from services.social.channels.linkedin.settings import LinkedInSettings
from shared.contracts.articles import Article, LeadImage, Rendition

__all__ = ["Frozen", "Remembered", "Thumbnail", "compose", "fit", "length", "readable"]

LIMIT = 3000
"""Of `commentary`, counted with its escapes: sources disagree on those, and this is the safe side."""
TITLE_LIMIT, DESCRIPTION_LIMIT = 400, 4086
"""Of an article card."""
MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/gif"})
MOST_PIXELS = 36_152_320
CARD_WIDTH = 1200
"""Pixels beyond which readers of the card see no difference."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}]+")
_HASHTAG = regex.compile(r"[#＃]([\w\p{M}]+)")
_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class Thumbnail(BaseModel):
    """The picture of the card, fixed by its hash; the bytes are fetched again when it is sent."""

    model_config = ConfigDict(frozen=True)

    url: str
    sha256: str
    size: int
    media_type: str


class Remembered(BaseModel):
    """What `Posted.extra` keeps of the text that readers saw last; empty where a person told of it."""

    commentary: str = ""
    notice: bool = False


class Frozen(BaseModel):
    """All that is sent for a post; of an edit only `commentary`, the rest cannot be changed."""

    model_config = ConfigDict(frozen=True)

    author: str
    composed_at: datetime
    commentary: str
    """Little text, escaped."""
    link: str
    title: str
    description: str
    thumbnail: Thumbnail | None
    notice: bool

    def remembered(self) -> dict[str, Any]:
        """`Posted.extra` once this payload has been accepted."""
        return Remembered(commentary=self.commentary, notice=self.notice).model_dump()


def length(text: str, *, escape_links: bool = True) -> int:
    """How much of `LIMIT` these words take once they are escaped."""
    return units(wire(text, escape_links=escape_links))


def fit(text: str, limit: int, *, escape_links: bool = True) -> str:
    """`text` if its wire form is no longer than `limit`, else its beginning and "…"."""
    return fitting.fit(text, limit, partial(length, escape_links=escape_links))


def compose(
    article: Article,
    *,
    now: datetime,
    settings: LinkedInSettings,
    thumbnail: Thumbnail | None = None,
    before: Remembered | None = None,
    correction: bool = False,
) -> Frozen | None:
    """The post for `article`; None when readers see all of its text already (`before`).

    `correction` demands a public notice; a post that carries one keeps it in later edits.
    """
    notice = correction or (before is not None and before.notice)
    share = article.share
    title = (share and share.title) or article.headline
    about = (share and share.description) or article.standfirst or article.summary
    frozen = Frozen(
        author=settings.author,
        composed_at=now,
        commentary=wire(_text(article, settings, notice), escape_links=settings.escape_links),
        link=_tracked(article.url, article.publication),
        title=fitting.fit(cleaned(title), TITLE_LIMIT, units),
        description=fitting.fit(cleaned(about), DESCRIPTION_LIMIT, units),
        thumbnail=thumbnail,
        notice=notice,
    )
    if before is not None and frozen.remembered() == before.model_dump():
        return None
    return frozen


def picture(article: Article) -> LeadImage | None:
    """What the card shows: the picture meant for shared links, else the lead image."""
    return (article.share and article.share.image) or article.lead_image


def best_rendition(image: LeadImage) -> Rendition | None:
    """The smallest rendition the network takes that is wide enough for the card, else the widest."""
    taken = [
        each
        for each in image.renditions
        if each.media_type in MEDIA_TYPES and each.width * each.height <= MOST_PIXELS
    ]
    return min(
        taken,
        key=lambda each: (each.width < CARD_WIDTH, abs(each.width - CARD_WIDTH)),
        default=None,
    )


def described(rendition: Rendition, data: bytes) -> Thumbnail:
    """What is sent of `rendition`, with the hash of the bytes that were read."""
    return Thumbnail(
        url=rendition.url,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        media_type=rendition.media_type,
    )


def cleaned(text: str) -> str:
    """`text` without invisible control characters, line ends as one sign."""
    return str(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()


def _text(article: Article, settings: LinkedInSettings, notice: bool) -> str:
    count = partial(length, escape_links=settings.escape_links)
    link = _tracked(article.url, article.publication)
    own_words = cleaned(article.social.get("linkedin", ""))
    # An address that the editor wrote into the text is tracked, too; the card has it in any case.
    body = _address(article.url).sub(lambda _: link, own_words) or _lead(article)
    text = _stacked(_notice(article, settings) if notice else "", body, count)
    before = "\n\n"
    for tag in _hashtags(article.tags, text)[: settings.hashtags]:
        if count(longer := f"{text}{before}{tag}") <= LIMIT:
            text, before = longer, " "
    return text


def _stacked(notice: str, body: str, count: partial[int]) -> str:
    """The notice above the body; first the body gives way, then the notice."""
    room = LIMIT
    if notice:
        free = room - count(body) - 2
        notice = fitting.fit(notice, max(free, room // 2), count)
        room -= count(notice) + 2
    return "\n\n".join(part for part in (notice, fitting.fit(body, room, count)) if part)


def _notice(article: Article, settings: LinkedInSettings) -> str:
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
    return parts._replace(query=f"{own}utm_source=linkedin&utm_medium=social{again}").geturl()


def _address(url: str) -> regex.Pattern[str]:
    """Matches `url` in a text where it stands whole, not as the beginning of a longer address."""
    return regex.compile(regex.escape(url) + r"(?![\w\p{M}/?#&=%~+-]|[.,:;!]\w)")
