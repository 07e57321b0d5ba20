"""An article as the newsroom holds it, and the public snapshot made from it. Never changes in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.publishing.domain.authors import Author, printed
from services.publishing.domain.content import Content
from services.publishing.domain.imported import Origin
from services.publishing.domain.picture_text import InlineImageText, LeadImageText
from services.publishing.domain.standing import Standing
from services.publishing.domain.stored_pictures import BodyPicture, StoredRendition, renditions
from shared.contracts.articles import (
    Article,
    Correction,
    InlineImage,
    LeadImage,
    Retraction,
    SearchOverride,
    ShareOverride,
    Status,
)
from shared.runtime.publication import is_right_to_left


@dataclass(frozen=True)
class References:
    """What the content names elsewhere, as it stood when the article was read. Never stored with it."""

    authors: Mapping[str, Author] = field(default_factory=dict)
    """The profiles that its bylines name, by slug."""
    related: Mapping[str, Status] = field(default_factory=dict)
    """Where each related article stands; one that is not in here does not exist."""

    def of(self, content: Content) -> References:
        """Only what this content names."""
        slugs = {byline.author for byline in content.bylines}
        return References(
            {slug: author for slug, author in self.authors.items() if slug in slugs},
            {id: status for id, status in self.related.items() if id in content.related},
        )


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
    share_files: tuple[StoredRendition, ...] = ()
    body_pictures: tuple[BodyPicture, ...] = ()
    """The pictures that the body shows, in order."""
    references: References = field(default_factory=References, compare=False)
    imported: bool = False
    """Its only publication was made elsewhere."""
    former_paths: tuple[str, ...] = ()
    """Paths it had before it came here."""
    origin: Origin | None = None
    """Where it came from; None for what was written here."""

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """As the editor says, else as the language is written (CLDR)."""
        return self.content.direction or ("rtl" if is_right_to_left(self.language) else "ltr")

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


def lead_image(copy: WorkingCopy, public_url: str) -> LeadImage | None:
    return _image(copy.content.lead_image, copy.lead_files, public_url)


def _image(
    image: LeadImageText | None, files: tuple[StoredRendition, ...], public_url: str
) -> LeadImage | None:
    if image is None:
        return None
    return LeadImage(**image.model_dump(), renditions=renditions(image.media_id, files, public_url))


def inline_images(copy: WorkingCopy, public_url: str) -> tuple[InlineImage, ...]:
    """The pictures of the body in its order, each with the words that it is shown with."""
    written = {one.media_id: one for one in copy.content.images}
    shown = []
    for picture in copy.body_pictures:
        words = written.get(picture.media_id) or InlineImageText(media_id=picture.media_id)
        sizes = renditions(picture.media_id, picture.files, public_url)
        fields = words.model_dump() | {"alt": words.alt or picture.alt}
        shown.append(InlineImage(**fields, renditions=sizes))
    return tuple(shown)


def _search(copy: WorkingCopy) -> SearchOverride | None:
    written = copy.content.search
    if written is None or not (written.title or written.description):
        return None
    return SearchOverride(title=written.title or None, description=written.description or None)


def _share(copy: WorkingCopy, public_url: str) -> ShareOverride | None:
    written = copy.content.share
    if written is None or not (written.title or written.description or written.image):
        return None
    return ShareOverride(
        title=written.title or None,
        description=written.description or None,
        image=_image(written.image, copy.share_files, public_url),
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
        bylines=tuple(
            printed(byline, copy.references.authors, public_url) for byline in content.bylines
        ),
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
        direction=copy.direction,
        search=_search(copy),
        share=_share(copy, public_url),
        images=inline_images(copy, public_url),
        # What is not public is not even named: an id tells when an article was begun.
        related=tuple(
            id for id in content.related if copy.references.related.get(id) is Status.PUBLISHED
        ),
        translation_group=content.translation_group,
        former_paths=copy.former_paths,
        imported=copy.imported,
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
