"""The publication itself, from `publication.toml`: its name, language, sections and links. Read-only."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


class Section(BaseModel):
    """One part of the paper. `slug` is what articles name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: str = Field(min_length=1)
    parent: str | None = None
    """The slug of the section that this one is a part of."""


class FollowLink(BaseModel):
    """Where readers can follow the publication elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    url: HttpUrl


class Publication(BaseModel):
    """The masthead. `language` is BCP 47, `time_zone` an IANA name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    tagline: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    sections: tuple[Section, ...] = Field(min_length=1)
    follow: tuple[FollowLink, ...] = ()
    support_url: HttpUrl | None = None
    theme: dict[str, str] = Field(default_factory=dict)
    """CSS custom properties without their leading dashes."""

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        if not known_language(value):
            raise ValueError("must be a BCP 47 language tag such as en or pt-BR")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError) as error:
            raise ValueError("must be an IANA time zone such as Europe/Zurich") from error
        return value

    @field_validator("sections")
    @classmethod
    def _tree(cls, sections: tuple[Section, ...]) -> tuple[Section, ...]:
        parents = {section.slug: section.parent for section in sections}
        if len(parents) < len(sections):
            raise ValueError("two sections have the same slug")
        for slug, parent in parents.items():
            seen = {slug}
            while parent is not None:
                if parent not in parents:
                    raise ValueError(f"{slug}: there is no section {parent} to be its parent")
                if parent in seen:
                    raise ValueError(f"{slug} is a part of itself")
                seen.add(parent)
                parent = parents[parent]
        return sections

    def section_path(self, slug: str) -> tuple[Section, ...]:
        """The section below all that it is a part of, the root first; empty for an unknown one."""
        known = {section.slug: section for section in self.sections}
        path: list[Section] = []
        at = known.get(slug)
        while at is not None:
            path.append(at)
            at = known.get(at.parent) if at.parent else None
        return tuple(reversed(path))

    def section_tree(self) -> tuple[Section, ...]:
        """Each section right before its own parts, otherwise in the order of the file."""
        place = {section.slug: number for number, section in enumerate(self.sections)}

        def key(section: Section) -> list[int]:
            return [place[one.slug] for one in self.section_path(section.slug)]

        return tuple(sorted(self.sections, key=key))

    def section_name(self, slug: str) -> str:
        """The printed name, or the slug where the section is no longer in the file."""
        return next((s.name for s in self.sections if s.slug == slug), slug)


def known_language(tag: str) -> bool:
    """True for a BCP 47 tag whose language is known to CLDR."""
    if not _TAG.fullmatch(tag):  # babel also takes POSIX names such as en.utf8@euro
        return False
    try:
        Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError, TypeError):
        return False
    return True


def written_language(tag: str) -> str:
    """The tag as it is customarily written (RFC 5646, section 2.1.1): `pt-BR`, `zh-Hant-TW`."""
    first, *rest = tag.lower().split("-")
    parts = [first]
    for part in rest:
        if len(parts[-1]) == 1:  # what follows a singleton is an extension's own
            return "-".join([*parts, *rest[len(parts) - 1 :]])
        parts.append({2: part.upper(), 4: part.title()}.get(len(part), part))
    return "-".join(parts)


def is_right_to_left(tag: str) -> bool:
    """True where the language's script is written from right to left (CLDR)."""
    try:
        return Locale.parse(tag, sep="-").text_direction == "rtl"
    except (ValueError, UnknownLocaleError, TypeError):
        return False


def load_publication(path: Path) -> Publication:
    """Read the file. Raises OSError, `tomllib.TOMLDecodeError` or `pydantic.ValidationError`."""
    return Publication.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
