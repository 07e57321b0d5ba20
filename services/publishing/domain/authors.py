"""Authors: their profiles, and the bylines that name them. Never prints a name that nobody wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from services.publishing.domain.fields import (
    Address,
    Line,
    MediaId,
    PersonName,
    ShortLine,
    Slug,
    Text,
    Written,
)
from services.publishing.domain.stored_pictures import StoredRendition, renditions
from shared.contracts.articles import AuthorLink, Byline, Portrait

RoleLine = Annotated[Line, Field(max_length=120)]
Biography = Annotated[Text, Field(max_length=2000)]


class BylineText(Written):
    """One author: `author` names a profile, and what stands beside it overrides the profile here.

    Without a profile at least a name is needed; a bare string stands for the name alone.
    """

    author: Slug | None = None
    name: Annotated[PersonName | None, Field(validate_default=True)] = None
    role: RoleLine | None = None
    bio: Biography | None = None
    url: Address | None = None

    @field_validator("name")
    @classmethod
    def _somebody(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("author") is None:
            raise ValueError("a byline needs a name, or the author whose profile has one")
        return value


class LinkText(Written):
    """Where else an author can be found."""

    name: ShortLine
    url: Address


class PortraitText(Written):
    """An author's picture. Its words are needed at once: a profile has no draft."""

    media_id: MediaId
    alt: Annotated[Line, Field(min_length=1, max_length=1000)]


class ProfileText(Written):
    """What a change of a profile may name; only what it names is changed."""

    # The empty default is never stored: a new profile must name one, and a change may leave it out.
    name: PersonName = ""
    role: RoleLine | None = None
    bio: Biography | None = None
    portrait: PortraitText | None = None
    links: Annotated[tuple[LinkText, ...], Field(max_length=20)] = ()
    url: Address | None = None

    def amended(self, patch: ProfileText) -> ProfileText:
        """This profile with the fields that `patch` was given."""
        return self.model_copy(
            update={name: getattr(patch, name) for name in patch.model_fields_set}
        )

    @classmethod
    def stored(cls, document: dict[str, Any]) -> ProfileText:
        """What was accepted before, back from the database."""
        fields = {name: document[name] for name in cls.model_fields if name in document}
        if portrait := fields.get("portrait"):
            fields["portrait"] = PortraitText.model_construct(**portrait)
        fields["links"] = tuple(LinkText.model_construct(**one) for one in fields.get("links", ()))
        return cls.model_construct(**fields)


class NewAuthor(ProfileText):
    """A profile to be made, under the slug that bylines will name."""

    slug: Slug
    name: PersonName

    @property
    def profile(self) -> ProfileText:
        return ProfileText.model_construct(
            **{name: getattr(self, name) for name in ProfileText.model_fields}
        )


@dataclass(frozen=True)
class Author:
    """A profile at one revision, with the stored sizes of its portrait."""

    slug: str
    profile: ProfileText
    portrait_files: tuple[StoredRendition, ...]
    revision: int
    created_at: datetime
    updated_at: datetime

    def portrait(self, public_url: str) -> Portrait | None:
        chosen = self.profile.portrait
        if chosen is None:
            return None
        sizes = renditions(chosen.media_id, self.portrait_files, public_url)
        return Portrait(media_id=chosen.media_id, alt=chosen.alt, renditions=sizes)


def printed(byline: BylineText, authors: Mapping[str, Author], public_url: str) -> Byline:
    """The byline as readers get it: the profile, with what was written inline instead of its own.

    Where the profile is not there its slug stands for the name; such an article is not published.
    """
    author = authors.get(byline.author) if byline.author else None
    if author is None:
        return Byline(
            name=byline.name or byline.author or "",
            role=byline.role,
            bio=byline.bio,
            url=byline.url,
        )
    profile = author.profile
    return Byline(
        name=byline.name or profile.name,
        role=byline.role or profile.role,
        bio=byline.bio or profile.bio,
        url=byline.url or profile.url,
        slug=author.slug,
        portrait=author.portrait(public_url),
        links=tuple(AuthorLink(name=one.name, url=one.url) for one in profile.links),
    )
