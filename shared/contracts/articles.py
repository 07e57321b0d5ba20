"""Article events: each carries the full public snapshot, so order and duplicates never matter to a reader."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Contract, EventData, Instant


class Status(StrEnum):
    """Where an article stands. Only `published` is visible to readers; `retracted` shows a notice.

    Events carry `published`, `unpublished` and `retracted`; the others stay inside the newsroom.
    """

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    RETRACTED = "retracted"


class Rendition(Contract):
    """One stored size of an image: absolute `url`, pixels, media type and bytes."""

    name: str
    url: str
    width: int
    height: int
    media_type: str
    size: int


class Crop(Contract):
    """The part of a picture to show, as fractions (0 to 1) of its width and height from top left."""

    x: float
    y: float
    width: float
    height: float


class LeadImage(Contract):
    """The lead image with the words a person who cannot see it needs."""

    media_id: str
    alt: str
    caption: str | None = None
    credit: str | None = None
    focus: tuple[float, float] = (0.5, 0.5)
    crops: dict[Literal["16x9", "4x3", "1x1"], Crop] = Field(default_factory=dict)
    """Chosen by a person, by the ratio of width to height; where none is, crop around `focus`."""
    renditions: tuple[Rendition, ...] = ()
    """Largest first; `original` is what was uploaded, cleaned of EXIF."""


class InlineImage(LeadImage):
    """A picture inside the body; `body_html` shows it already."""


class AuthorLink(Contract):
    """Where else an author can be found."""

    name: str
    url: str


class Portrait(Contract):
    """An author's picture."""

    media_id: str
    alt: str
    renditions: tuple[Rendition, ...] = ()


class Byline(Contract):
    """One author as printed. `url` is an absolute http(s) address of the author's own page."""

    name: str
    role: str | None = None
    bio: str | None = None
    url: str | None = None
    slug: str | None = None
    """Names the author's profile here; None for somebody without one."""
    portrait: Portrait | None = None
    links: tuple[AuthorLink, ...] = ()


class SearchOverride(Contract):
    """What search engines are told instead of headline and summary."""

    title: str | None = None
    description: str | None = None


class ShareOverride(Contract):
    """What a shared link shows instead of headline, summary and lead image."""

    title: str | None = None
    description: str | None = None
    image: LeadImage | None = None


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
    former_paths: tuple[str, ...] = ()
    """Paths (`/2019/05/old-name/`) the article had before it came here; each must lead to `url`."""
    direction: Literal["ltr", "rtl"] | None = None
    """How the text runs; None where its language says it all."""
    search: SearchOverride | None = None
    share: ShareOverride | None = None
    images: tuple[InlineImage, ...] = ()
    """The pictures of the body, in order."""
    related: tuple[str, ...] = ()
    """Ids of articles that were public when this snapshot was made."""
    translation_group: str | None = None
    """Articles that share it are translations of each other."""
    imported: bool = False
    """True while its only publication was made elsewhere, before it came here: pages and lists show
    it, and nobody is told (no posts, mails, webhooks or pings)."""


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
