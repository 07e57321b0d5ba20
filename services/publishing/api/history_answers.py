"""What publishing answers about what was: acts, revisions, how two of them differ, the trash. As models."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from services.publishing.api.article_answers import ARTICLE, AT, PERSON, STANDS, WRITTEN
from services.publishing.domain.content import Content
from shared.contracts.articles import Status
from shared.web.description import Id, Moment, Shown


class ActLine(Shown):
    """Who did what and when."""

    act: str
    by: str
    """The person's id; `system` for the command line."""
    by_name: str
    at: Moment
    detail: dict[str, Any]

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "act": "publish",
        "by": PERSON,
        "by_name": "Ada Quill",
        "at": AT,
        "detail": {},
    }


class AuditLine(ActLine):
    """One line of the audit log."""

    id: str
    article: Id | None = None
    about: str | None = None
    """The person whom the act concerned."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **ActLine.EXAMPLE,
        "id": f"{ARTICLE}:3",
        "article": ARTICLE,
    }


class RevisionLine(ActLine):
    """One revision in the list: what it was called and which act made it."""

    revision: int
    status: Status
    headline: str

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **ActLine.EXAMPLE,
        "revision": 3,
        "status": "published",
        "headline": WRITTEN["headline"],
    }


class RevisionAnswer(Content, Shown):
    """The whole article as it was at one revision."""

    id: Id
    slug: str
    language: str
    revision: int
    status: Status
    publication: int
    published_at: Moment | None = None
    updated_at: Moment
    act: ActLine

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **WRITTEN,
        **{
            name: value
            for name, value in STANDS.items()
            if name not in {"url", "created_at", "created_by", "corrections", "local"}
        },
        "images": [],
        "publication": 1,
        "act": ActLine.EXAMPLE,
    }


class TrashItem(Shown):
    """A deleted draft."""

    id: Id
    headline: str
    slug: str
    created_by: str
    deleted_at: Moment
    deleted_by: str
    deleted_by_name: str
    expires_at: Moment
    """Then it is gone for good."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": ARTICLE,
        "headline": WRITTEN["headline"],
        "slug": STANDS["slug"],
        "created_by": PERSON,
        "deleted_at": AT,
        "deleted_by": PERSON,
        "deleted_by_name": "Ada Quill",
        "expires_at": "2026-12-23T09:30:00.000Z",
    }


class SegmentAnswer(Shown):
    """A piece of text that both have, or only one."""

    op: Literal["same", "removed", "added"]
    text: str


class ChangeAnswer(Shown):
    """One field that differs."""

    field: str
    """A path with dots."""
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None
    segments: list[SegmentAnswer] | None = None
    """Word by word, where it is prose."""


class DifferenceAnswer(Shown):
    """What one revision has that the other has not. `from` is 0 where there was no article yet."""

    model_config = ConfigDict(serialize_by_alias=True)

    start: int = Field(alias="from")
    to: int
    changes: list[ChangeAnswer]

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "from": 2,
        "to": 3,
        "changes": [
            {
                "field": "headline",
                "kind": "changed",
                "before": "Harbour bridge reopens",
                "after": "Harbour bridge closes",
                "segments": [
                    {"op": "same", "text": "Harbour bridge "},
                    {"op": "removed", "text": "reopens"},
                    {"op": "added", "text": "closes"},
                ],
            }
        ],
    }
