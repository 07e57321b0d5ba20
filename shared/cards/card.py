"""What stands on an article's card, and its address, which names all of it. Pure computation."""

from __future__ import annotations

import hashlib
import json
import re
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from pydantic import BaseModel, ConfigDict

from shared.contracts.articles import Article, Crop, LeadImage, Rendition
from shared.runtime.publication import Publication, is_right_to_left

MOST_BYTES = 900_000
"""Of any card: Bluesky takes a thumbnail of less than 1,000,000 (app.bsky.embed.external)."""
MEDIA_TYPE = "image/jpeg"
CARD_PATH = re.compile(r"/cards/([0-9A-Za-z-]{1,64})/([0-9a-f]{16})-(link|tall)\.jpg")
_DRAWN_WITH = ("pillow", "manimgx-fonts", "manimgx-fonts-cjk", "fontpkg-noto-serif")
_OWN_PICTURE = re.compile(r"/media/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+\.[a-z]+")
_OPENED = frozenset({"image/jpeg", "image/png", "image/webp"})
_ENLARGED = 1.25
"""More than this, and readers see that the picture was too small."""


class Size(StrEnum):
    """`link`: beside a shared link (Open Graph, LinkedIn, Bluesky). `tall`: a picture of its own (Instagram)."""

    LINK = "link"
    TALL = "tall"

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height."""
        return {"link": (1200, 630), "tall": (1080, 1350)}[self.value]


class CardPicture(BaseModel):
    """The photograph behind the words."""

    model_config = ConfigDict(frozen=True)

    url: str
    focus: tuple[float, float]
    crop: Crop | None
    credit: str


class Card(BaseModel):
    """One card of one size: the same values are drawn to the same bytes."""

    model_config = ConfigDict(frozen=True)

    article_id: str
    size: Size
    headline: str
    section: str
    byline: str
    language: str
    from_right: bool
    paper: str
    """The publication's name."""
    paper_language: str
    accent: str | None
    background: str | None
    picture: CardPicture | None

    @property
    def path(self) -> str:
        """Below our origin. It changes with everything that is drawn, and with the way it is drawn."""
        digest = hashlib.sha256(hand() + json.dumps(self.model_dump()).encode())
        return f"/cards/{self.article_id}/{digest.hexdigest()[:16]}-{self.size}.jpg"


def card(article: Article, publication: Publication, public_url: str, size: Size) -> Card:
    """The card of an article at one revision. `public_url` is our origin: no other picture is used."""
    share = article.share
    language = publication.language
    return Card(
        article_id=article.id,
        size=size,
        headline=(share and share.title) or article.headline,
        section=publication.section_name(article.section),
        byline=_listed([one.name for one in article.bylines], article.language, language),
        language=article.language,
        from_right=article.direction == "rtl"
        if article.direction
        else is_right_to_left(article.language),
        paper=publication.name,
        paper_language=language,
        accent=publication.theme.get("accent"),
        background=publication.theme.get("paper"),
        picture=_picture([share.image if share else None, article.lead_image], public_url, size),
    )


def as_image(card: Card, public_url: str) -> LeadImage:
    """The card as channels take pictures; its words are what a person who cannot see it needs."""
    width, height = card.size.pixels
    return LeadImage(
        media_id=card.size.value,
        alt=card.headline,
        renditions=(
            Rendition(
                name=card.size.value,
                url=public_url + card.path,
                width=width,
                height=height,
                media_type=MEDIA_TYPE,
                size=MOST_BYTES,
            ),
        ),
    )


def _picture(images: list[LeadImage | None], public_url: str, size: Size) -> CardPicture | None:
    """The first image that fills the card without being seen to be enlarged."""
    for image in images:
        found = _large_enough(image, public_url, size) if image else None
        if image and found:
            crop = image.crops.get("16x9") if size is Size.LINK else None
            return CardPicture(
                url=found.url, focus=image.focus, crop=crop, credit=image.credit or ""
            )
    return None


def _large_enough(image: LeadImage, public_url: str, size: Size) -> Rendition | None:
    """The smallest that is; the upload itself only where no made size is."""
    width, height = size.pixels
    found = [
        one
        for one in image.renditions
        if one.url.startswith(public_url)
        and _OWN_PICTURE.fullmatch(one.url.removeprefix(public_url))
        and one.media_type in _OPENED
        and one.width * _ENLARGED >= width
        and one.height * _ENLARGED >= height
    ]
    return min(found, key=lambda one: (one.name == "original", one.width, one.url), default=None)


def _listed(names: list[str], *languages: str) -> str:
    for language in languages:
        try:
            return format_list(names, locale=Locale.parse(language, sep="-"))
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    return ", ".join(names)


@cache
def hand() -> bytes:
    """Changes whenever the same card would be drawn to other bytes."""
    digest = hashlib.sha256(" ".join(map(version, _DRAWN_WITH)).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()
