"""An article as the newsroom holds it, and the public snapshot made from it. Never changes in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.publishing.domain.content import Content
from services.publishing.domain.standing import Standing
from shared.contracts.articles import (
    Article,
    Byline,
    Correction,
    LeadImage,
    Rendition,
    Retraction,
    Status,
)


@dataclass(frozen=True)
class StoredRendition:
    """One stored size of a picture; `file` is the last part of its address."""

    name: str
    file: str
    width: int
    height: int
    media_type: str
    size: int


@dataclass(frozen=True)
class WorkingCopy:
    """Everything known of one article at one revision.

    What readers and outlets have is `live`; edits stay here until publish or correct.
    """

    id: str
    content: Content
    slug: str
    body_html: str
    language: str
    lead_files: tuple[StoredRendition, ...]
    status: Status
    revision: int
    publication: int
    published_at: datetime | None
    updated_at: datetime
    corrections: tuple[Correction, ...]
    retraction: Retraction | None
    redirects: tuple[str, ...]
    """Slugs under which the article was public before."""
    live: Article | None
    """The last snapshot that went out; None until the first publication."""
    created_at: datetime
    created_by: str
    standing: Standing = field(default_factory=Standing)
    """Review, schedule and whatever else is arranged around it."""

    @property
    def slug_is_free_to_follow(self) -> bool:
        """Whether a new headline makes a new slug: nobody chose this one, no reader has seen it."""
        return self.content.slug is None and self.publication == 0

    @property
    def public_slugs(self) -> set[str]:
        """Slugs that readers may hold; they stay with the article for ever."""
        return {*self.redirects, *([self.live.slug] if self.live else ())}


def article_url(public_url: str, slug: str) -> str:
    return f"{public_url}/articles/{slug}"


def renditions(
    media_id: str, files: tuple[StoredRendition, ...], public_url: str
) -> tuple[Rendition, ...]:
    """The stored sizes with their absolute addresses."""
    return tuple(
        Rendition(
            name=file.name,
            url=f"{public_url}/media/{media_id}/{file.file}",
            width=file.width,
            height=file.height,
            media_type=file.media_type,
            size=file.size,
        )
        for file in files
    )


def lead_image(copy: WorkingCopy, public_url: str) -> LeadImage | None:
    image = copy.content.lead_image
    if image is None:
        return None
    return LeadImage(
        **image.model_dump(), renditions=renditions(image.media_id, copy.lead_files, public_url)
    )


def snapshot(copy: WorkingCopy, public_url: str) -> Article:
    """The working copy as the world will see it."""
    content = copy.content
    # The live address becomes a redirect with this snapshot; the new one stops being one.
    redirects = copy.public_slugs - {copy.slug}
    return Article(
        id=copy.id,
        slug=copy.slug,
        url=article_url(public_url, copy.slug),
        headline=content.headline,
        standfirst=content.standfirst,
        summary=content.summary,
        body=content.body,
        body_html=copy.body_html,
        section=content.section or "",
        tags=content.tags,
        bylines=tuple(Byline(**byline.model_dump()) for byline in content.bylines),
        language=copy.language,
        lead_image=lead_image(copy, public_url),
        access=content.access,
        priority=content.priority,
        canonical_url=content.canonical_url,
        noindex=content.noindex,
        skip_outlets=content.skip_outlets,
        social=content.social,
        status=copy.status,
        revision=copy.revision,
        publication=copy.publication,
        published_at=copy.published_at,
        updated_at=copy.updated_at,
        embargo_until=content.embargo_until,
        corrections=copy.corrections,
        retraction=copy.retraction,
        redirects=tuple(sorted(redirects)),
    )


def has_unpublished_changes(copy: WorkingCopy, public_url: str) -> bool:
    """Whether publishing now would show readers anything else than they have."""
    if copy.live is None:
        return True
    return not same_for_readers(snapshot(copy, public_url), copy.live)


def same_for_readers(one: Article, other: Article) -> bool:
    """Equal but for the revision and its time."""
    return one == other.model_copy(
        update={"revision": one.revision, "updated_at": one.updated_at, "status": one.status}
    )
