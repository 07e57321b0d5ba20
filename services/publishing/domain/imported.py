"""What may be said of an article that was made elsewhere: all of its content, and its life until now."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, Field

from services.publishing.domain.content import Content, CorrectionText, RetractionText
from services.publishing.domain.errors import Invalid
from services.publishing.domain.fields import ArticleId, Slug, Text
from shared.contracts.base import Instant

SOURCE = r"^[a-z0-9]+([.-][a-z0-9]+)*$"
SOURCE_LENGTH, EXTERNAL_ID_LENGTH = 60, 200
PATH_LENGTH = 1000
PUBLIC = {"published", "unpublished", "retracted"}
NEEDED = ("headline", "body", "section", "bylines")
"""What a public article must have; words for its pictures can be added once it is here."""


def _former_path(value: str) -> str:
    """Decoded and without the slash at its end: one form for every way to write the same address."""
    bare, mark, query = value.partition("?")
    if not value.startswith("/") or value.startswith("//") or value in {"/", "/?"}:
        raise ValueError("must be a path such as /2019/05/name/ or /?p=12")
    if "#" in value or any(char.isspace() for char in value) or "\x00" in unquote(bare):
        raise ValueError("must not contain spaces, control characters or a fragment")
    bare = unquote(bare).rstrip("/") or "/"
    return f"{bare}?{query}" if mark and query else bare


FormerPath = Annotated[Text, Field(max_length=PATH_LENGTH), AfterValidator(_former_path)]


class PastCorrection(CorrectionText):
    """A correction that readers have been told of."""

    at: Instant


class PastRetraction(RetractionText):
    """A retraction that readers have been told of."""

    at: Instant


class Arrival(Content):
    """An article as another system, or another Herald, hands it over."""

    id: ArticleId | None = None
    """None: made from where the article comes from, so that the same article always gets the same."""
    status: Literal["draft", "in_review", "published", "unpublished", "retracted"] = "draft"
    published_at: Instant | None = None
    updated_at: Instant | None = None
    former_paths: Annotated[tuple[FormerPath, ...], Field(max_length=50)] = ()
    redirects: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()
    """Earlier slugs."""
    corrections: Annotated[tuple[PastCorrection, ...], Field(max_length=200)] = ()
    retraction: PastRetraction | None = None
    pending: Content | None = None
    """What was written after the last publication and is not public yet."""

    @property
    def content(self) -> Content:
        """What readers have, or would have."""
        return Content.model_construct(
            **{name: getattr(self, name) for name in Content.model_fields}
        )

    def check(self, now: datetime) -> None:
        """Raises `Invalid` for a life that no article can have had."""
        wrong: dict[str, str] = {}
        if self.status in PUBLIC:
            wrong |= {name: "is needed to publish" for name in NEEDED if not getattr(self, name)}
            if self.published_at is None:
                wrong["published_at"] = f"is needed of an article that is {self.status}"
            elif self.published_at > now:
                wrong["published_at"] = "must not lie in the future"
        else:
            for name in ("published_at", "corrections", "pending"):
                if getattr(self, name):
                    wrong[name] = f"cannot be had by an article that is {self.status}"
        if (self.retraction is None) == (self.status == "retracted"):
            wrong["retraction"] = "goes with the status retracted, and only with it"
        if wrong:
            raise Invalid(wrong)

    @property
    def digest(self) -> str:
        """The same for the same document, whatever the order of its fields."""
        document = self.model_dump(mode="json", exclude_defaults=True)
        canonical = json.dumps(document, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Origin:
    """Where an article came from, and what it was when it last came."""

    source: str
    external_id: str
    digest: str
    revision: int
    """The revision here that this made; a later one is somebody's work."""
    at: datetime | None = None
    """When it became so there; None for what does not say."""


def derived_id(source: str, external_id: str, at: datetime | None) -> str:
    """A UUIDv7 of the instant whose random part is the origin: a repeated import cannot make another.

    So lists that go by id show imported articles where they belong.
    """
    milliseconds = max(0, int(at.timestamp() * 1000)) if at else 0
    origin = f"{source}:{external_id}".encode("utf-8", "surrogatepass")
    value = int.from_bytes(hashlib.sha256(origin).digest()[:16])
    value = (milliseconds & (2**48 - 1)) << 80 | value & (2**80 - 1)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))


def without_defaults(content: Content) -> dict[str, Any]:
    """The fields that say something, in JSON."""
    return content.model_dump(mode="json", exclude_defaults=True)
