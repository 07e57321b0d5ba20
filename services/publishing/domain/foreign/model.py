"""An article that was made elsewhere, in one form whatever it came from. Never changes in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


class Unreadable(ValueError):
    """Raised for a file or document that is not what it should be; the text says what is wrong."""


@dataclass(frozen=True)
class Term:
    """A category or tag of the old system: what may be a section here is matched by slug or name."""

    slug: str
    name: str


@dataclass(frozen=True)
class ForeignAuthor:
    """Who wrote it. `url` and `portrait` are absolute addresses."""

    name: str
    slug: str | None = None
    bio: str | None = None
    url: str | None = None
    portrait: str | None = None


@dataclass(frozen=True)
class ForeignImage:
    """A picture by its old address."""

    url: str
    alt: str = ""
    caption: str | None = None


@dataclass(frozen=True)
class ForeignArticle:
    """What was found. `former_paths` are paths with their query, such as `/2019/05/name/` and `/?p=12`."""

    external_id: str
    """What the old system calls it; the same in every export."""
    headline: str
    body: str
    """Markdown; pictures by their old addresses."""
    status: Literal["published", "draft"]
    slug: str | None = None
    standfirst: str = ""
    summary: str = ""
    terms: tuple[Term, ...] = ()
    """Candidates for the section, the most important first; those not chosen become tags."""
    tags: tuple[str, ...] = ()
    authors: tuple[ForeignAuthor, ...] = ()
    language: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    former_paths: tuple[str, ...] = ()
    lead_image: ForeignImage | None = None
    images: tuple[str, ...] = ()
    """Addresses of the pictures in the body, in order, as they stand there."""
    access: Literal["free", "premium"] = "free"
    noindex: bool = False
    canonical_url: str | None = None
    search_title: str | None = None
    search_description: str | None = None
    share_title: str | None = None
    share_description: str | None = None
    share_image: str | None = None
    notes: tuple[str, ...] = ()
    """What a person should know: what could not be kept as it was."""


@dataclass(frozen=True)
class LeftOut:
    """Something in the export that does not become an article. `wrong` where it should have."""

    external_id: str
    what: str
    reason: str
    wrong: bool = False


Found = ForeignArticle | LeftOut


@dataclass(frozen=True)
class Site:
    """What an export says of the place it comes from."""

    url: str | None = None
    language: str | None = None
    authors: dict[str, ForeignAuthor] = field(default_factory=dict)
