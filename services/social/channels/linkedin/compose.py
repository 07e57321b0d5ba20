"""Composes the exact LinkedIn post for an article, counting as the network counts.

Never does input or output, and never leaves out the card: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.article_words import lead, notice, own_words
from services.social.channels.campaign import content_of, tracked
from services.social.channels.layout import GAP, Layout
from services.social.channels.linkedin.littletext import readable, units, wire
from services.social.channels.linkedin.settings import LinkedInSettings
from services.social.channels.pictures import Picture, PictureLimits
from services.social.channels.plaintext import cleaned, hashtags
from shared.contracts.articles import Article, LeadImage, Rendition

__all__ = ["Frozen", "Remembered", "Thumbnail", "compose", "fit", "length", "readable"]

LIMIT = 3000
"""Of `commentary`, counted with its escapes: sources disagree on those, and this is the safe side."""
TITLE_LIMIT, DESCRIPTION_LIMIT = 400, 4086
"""Of an article card."""
PICTURES = PictureLimits(
    frozenset({"image/jpeg", "image/png", "image/gif"}),
    "a JPEG, PNG or GIF of at most 36,152,320 pixels",
    also=lambda each: each.width * each.height <= 36_152_320,
)
CARD_WIDTH = 1200
"""Pixels beyond which readers of the card see no difference."""


class Thumbnail(Picture):
    """The picture of the card."""


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
    notified = correction or (before is not None and before.notice)
    link = tracked(article.url, settings, content_of(article.publication))
    share = article.share
    title = (share and share.title) or article.headline
    about = (share and share.description) or article.standfirst or article.summary
    frozen = Frozen(
        author=settings.author,
        composed_at=now,
        commentary=wire(
            _text(article, settings, link, notified), escape_links=settings.escape_links
        ),
        link=link,
        # A card without a title is refused, and a headline may be made of nothing that is seen.
        title=fitting.fit(cleaned(title) or urlsplit(link).netloc, TITLE_LIMIT, units),
        description=fitting.fit(cleaned(about), DESCRIPTION_LIMIT, units),
        thumbnail=thumbnail,
        notice=notified,
    )
    if before is not None and frozen.remembered() == before.model_dump():
        return None
    return frozen


def picture(article: Article) -> LeadImage | None:
    """What the card shows: the picture meant for shared links, else the lead image."""
    return (article.share and article.share.image) or article.lead_image


def best_rendition(image: LeadImage) -> Rendition | None:
    """The smallest rendition the network takes that is wide enough for the card, else the widest."""
    return next(iter(PICTURES.by_width(image, CARD_WIDTH)), None)


def _text(article: Article, settings: LinkedInSettings, link: str, notified: bool) -> str:
    layout = Layout(LIMIT, partial(length, escape_links=settings.escape_links))
    # The card has the link, so the text needs none.
    body = own_words(article, "linkedin", link) or lead(article)
    text = GAP.join(layout.stacked(notice(article, settings.labels) if notified else "", body))
    return layout.tagged(text, hashtags(article.tags, text)[: settings.hashtags])
