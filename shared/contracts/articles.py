"""Article events: each carries the full public snapshot, so order and duplicates never matter to a reader."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Contract, EventData, Instant


class Status(StrEnum):
    """Where an article stands. Only `published` is visible to readers; `retracted` shows a notice."""

    DRAFT = "draft"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    RETRACTED = "retracted"


class Byline(Contract):
    """One author as printed. `url` is an absolute http(s) address of the author's own page."""

    name: str
    role: str | None = None
    bio: str | None = None
    url: str | None = None


class Rendition(Contract):
    """One stored size of an image: absolute `url`, pixels, media type and bytes."""

    name: str
    url: str
    width: int
    height: int
    media_type: str
    size: int


class LeadImage(Contract):
    """The lead image with the words a person who cannot see it needs."""

    media_id: str
    alt: str
    caption: str | None = None
    credit: str | None = None
    focus: tuple[float, float] = (0.5, 0.5)
    renditions: tuple[Rendition, ...] = ()
    """Largest first; `original` is what was uploaded, cleaned of EXIF."""


class Correction(Contract):
    """A public notice of what was wrong. `correction` fixes a fact, `clarification` makes one clear."""

    at: Instant
    kind: Literal["correction", "clarification"]
    text: str


class Retraction(Contract):
    """Why the article was taken back, in words for readers."""

    at: Instant
    reason: str


class Article(Contract):
    """The public snapshot of an article at one revision.

    `revision` grows with every change and is the only thing that orders two snapshots.
    `publication` counts how often the article became public: 1 the first time, 2 after an
    unpublish and a second publish; an outlet posts at most once per publication.
    """

    id: str
    slug: str
    url: str
    headline: str
    standfirst: str = ""
    summary: str = ""
    body: str
    body_html: str
    section: str
    tags: tuple[str, ...] = ()
    bylines: tuple[Byline, ...] = ()
    language: str
    lead_image: LeadImage | None = None
    access: Literal["free", "premium"] = "free"
    priority: Literal["normal", "breaking"] = "normal"
    canonical_url: str | None = None
    noindex: bool = False
    skip_outlets: tuple[str, ...] = ()
    social: dict[str, str] = Field(default_factory=dict)
    status: Status
    revision: int = Field(ge=1)
    publication: int = Field(ge=0)
    published_at: Instant | None = None
    updated_at: Instant
    embargo_until: Instant | None = None
    scheduled_at: Instant | None = None
    corrections: tuple[Correction, ...] = ()
    retraction: Retraction | None = None
    redirects: tuple[str, ...] = ()
    """Earlier slugs of this article; each must lead to `url`."""


class ArticleEvent(EventData):
    """What all article events share."""

    article: Article
    acted_at: Instant
    """When the editor's act was accepted; the zero of every publish-to-outlet latency."""


class ArticlePublished(ArticleEvent):
    """An article became public."""

    TYPE: ClassVar[str] = "article.published"


class ArticleUpdated(ArticleEvent):
    """A public article changed: silently (`minor`) or with a public notice (`correction`)."""

    TYPE: ClassVar[str] = "article.updated"
    change: Literal["minor", "correction"]


class ArticleRetracted(ArticleEvent):
    """A public article was taken back; its address answers 410 with the reason."""

    TYPE: ClassVar[str] = "article.retracted"


class ArticleUnpublished(ArticleEvent):
    """A public article was quietly withdrawn and may be published again."""

    TYPE: ClassVar[str] = "article.unpublished"
