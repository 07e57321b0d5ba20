"""What still keeps an article from being published, and what a careful editor would look at again.

Publishing asks `missing`, people see `checklist`; both are the same list, so they never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.publishing.domain.article import WorkingCopy, article_url
from services.publishing.domain.authors import Author
from services.publishing.domain.content import Content
from services.publishing.domain.states import TABLE, Act
from services.publishing.domain.stored_pictures import BodyPicture

HEADLINE_LENGTH = 110
SEARCH_TITLE_LENGTH = 60
SEARCH_DESCRIPTION_LENGTH = 160
"""About what result pages show before they cut; they measure pixels, so this is a rule of thumb."""
LEAD_WIDTH = 1200
"""Pixels. Large previews need them (Google: Article structured data, image; Discover)."""
_WORDS = "a picture needs words for those who cannot see it"


@dataclass(frozen=True)
class Item:
    """One line of the checklist: what is asked of `field`, and whether it is so."""

    field: str
    level: Literal["blocking", "advice"]
    ok: bool
    message: str


def checklist(copy: WorkingCopy, now: datetime, public_url: str) -> list[Item]:
    """Everything that blocks, then everything that is advised."""
    allowed = (Act.PUBLISH, copy.status) in TABLE
    verdict = "can" if allowed else "cannot"
    status = _need("status", allowed, f"{verdict} be published while {copy.status.value}")
    return [status, *_needed(copy), *_advised(copy, now, public_url)]


def missing(copy: WorkingCopy) -> dict[str, str]:
    """What publishing refuses for, by field; empty when nothing is lacking."""
    return {item.field: item.message for item in _needed(copy) if not item.ok}


def _needed(copy: WorkingCopy) -> Iterator[Item]:
    return needs(copy.content, copy.body_pictures, copy.references.authors)


def needs(
    content: Content, pictures: Sequence[BodyPicture], authors: Mapping[str, Author]
) -> Iterator[Item]:
    """One item for each thing that an article cannot be published without, at most one a field."""
    listed = {image.media_id for image in content.images}
    mute = [one.media_id for one in pictures if not one.alt and one.media_id not in listed]
    for name in ("headline", "body", "section", "bylines"):
        if name == "body" and mute:
            yield _need(name, False, f"{_WORDS} (pictures {', '.join(mute)})")
        else:
            yield _need(name, getattr(content, name), "is needed to publish")
    for number, byline in enumerate(content.bylines):
        if byline.author:
            known = byline.author in authors
            yield _need(f"bylines.{number}.author", known, f"needs the profile {byline.author}")
    if content.lead_image:
        yield _need("lead_image.alt", content.lead_image.alt, _WORDS)
    described = {picture.media_id for picture in pictures if picture.alt}
    for number, image in enumerate(content.images):
        said = image.alt or image.media_id in described
        yield _need(f"images.{number}.alt", said, f"{_WORDS} (picture {image.media_id})")


def _advised(copy: WorkingCopy, now: datetime, public_url: str) -> Iterator[Item]:
    content = copy.content
    short = len(content.headline) <= HEADLINE_LENGTH
    yield _advise("headline", short, f"is cut in many places beyond {HEADLINE_LENGTH} characters")
    yield _advise("standfirst", content.standfirst, "tells readers why to go on")
    yield _advise("summary", content.summary, "is what search results and feeds show")
    yield _advise("tags", content.tags, "help readers and search to find it")
    yield _advise("lead_image", content.lead_image, "is what lists and shared links show")
    if copy.lead_files:
        wide = max(file.width for file in copy.lead_files) >= LEAD_WIDTH
        reason = f"large previews need at least {LEAD_WIDTH} pixels of width"
        yield _advise("lead_image.media_id", wide, reason)
    if content.search and content.search.title:
        short = len(content.search.title) <= SEARCH_TITLE_LENGTH
        reason = f"is cut in results beyond {SEARCH_TITLE_LENGTH} characters"
        yield _advise("search.title", short, reason)
    if content.search and content.search.description:
        short = len(content.search.description) <= SEARCH_DESCRIPTION_LENGTH
        reason = f"is cut in results beyond {SEARCH_DESCRIPTION_LENGTH} characters"
        yield _advise("search.description", short, reason)
    if content.share and content.share.image:
        yield _advise("share.image.alt", content.share.image.alt, _WORDS)
    if content.canonical_url:
        # The sitemap service leaves out exactly what names another address than its own.
        own = content.canonical_url == article_url(public_url, copy.slug)
        yield _advise("canonical_url", own, "elsewhere, it will be left out of the sitemaps")
    yield _advise("noindex", not content.noindex, "keeps it out of search and of the sitemaps")
    if content.embargo_until:
        over = content.embargo_until <= now
        reason = f"no reader gets it before {content.embargo_until.isoformat()}"
        yield _advise("embargo_until", over, reason)
    # In the HTML a "<" that is no tag is escaped, so this is never a text about links.
    plain = '<a href="http://' in copy.body_html.lower()
    yield _advise("body", not plain, "links should lead to https, not http")


def _need(field: str, ok: object, message: str) -> Item:
    return Item(field, "blocking", bool(ok), message)


def _advise(field: str, ok: object, message: str) -> Item:
    return Item(field, "advice", bool(ok), message)
