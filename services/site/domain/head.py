"""What search engines and those who share a link are told: the editor's overrides, else the article's own words.

A shared link always has a picture: a photograph that is large enough, else the article's card.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.site.domain.pictures import shared_images, sizes
from shared.cards.card import Size, card
from shared.contracts.articles import Article, LeadImage, SearchOverride, ShareOverride
from shared.runtime.publication import Publication

LEAST_WIDTH, LEAST_HEIGHT = 600, 315
"""Pixels: of a smaller picture Facebook makes a thumbnail beside the link (Sharing best practices)."""


@dataclass(frozen=True)
class SharedPicture:
    """What a shared link shows; `url` is absolute."""

    url: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Head:
    """The texts of a page's head. A description is empty where there is nothing to say."""

    search_title: str | None
    """Instead of the whole title; None leaves headline and publication."""
    search_description: str
    share_title: str
    share_description: str
    share_picture: SharedPicture


def head(
    article: Article, publication: Publication, public_url: str, *, always_card: bool = False
) -> Head:
    search, share = article.search or SearchOverride(), article.share or ShareOverride()
    description = article.summary or article.standfirst
    # The editor's choice may be small, but not too small to be shown at all.
    chosen = _photograph(share.image) if shared_images(share.image) else None
    photograph = None if always_card else chosen or _photograph(article.lead_image, large=True)
    return Head(
        search_title=search.title,
        search_description=search.description or description,
        share_title=share.title or article.headline,
        share_description=share.description or description,
        share_picture=photograph or _card(article, publication, public_url),
    )


def _photograph(image: LeadImage | None, *, large: bool = False) -> SharedPicture | None:
    """The largest size; `large`: only where that is shown as a picture, not as a thumbnail."""
    largest = next(iter(sizes(image)), None)
    if image is None or largest is None:
        return None
    if large and (largest.width < LEAST_WIDTH or largest.height < LEAST_HEIGHT):
        return None
    return SharedPicture(largest.url, largest.width, largest.height, image.alt)


def _card(article: Article, publication: Publication, public_url: str) -> SharedPicture:
    made = card(article, publication, public_url, Size.LINK)
    return SharedPicture(public_url + made.path, *made.size.pixels, made.headline)
