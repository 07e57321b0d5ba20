"""What search engines and those who share a link are told: the editor's overrides, else the article's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.site.domain.pictures import Picture, picture, shared_images
from shared.contracts.articles import Article, SearchOverride, ShareOverride


@dataclass(frozen=True)
class Head:
    """The texts of a page's head. A description is empty where there is nothing to say."""

    search_title: str | None
    """Instead of the whole title; None leaves headline and publication."""
    search_description: str
    share_title: str
    share_description: str
    share_images: Sequence[str]
    """Absolute addresses, largest first."""
    share_picture: Picture | None
    """Size and words of the first of them."""


def head(article: Article, public_url: str) -> Head:
    search, share = article.search or SearchOverride(), article.share or ShareOverride()
    description = article.summary or article.standfirst
    # A picture too small to be shown elsewhere is no better than none: the lead image stands in.
    image = share.image if shared_images(share.image) else article.lead_image
    return Head(
        search_title=search.title,
        search_description=search.description or description,
        share_title=share.title or article.headline,
        share_description=share.description or description,
        share_images=shared_images(image),
        share_picture=picture(image, public_url),
    )
