"""What publishing answers around an article, as models: its history, its board, its pictures, who is at work on it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from services.publishing.api.article_answers import ARTICLE, AT, PERSON, PICTURE, STANDS, WRITTEN
from services.publishing.domain.authors import ProfileText
from services.publishing.domain.content import Content
from shared.contracts.articles import Portrait, Rendition, Status
from shared.contracts.outlets import OutletLine
from shared.web.description import Id, Moment, Shown
from shared.web.previews import PreviewLine


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


class BoardLineAnswer(OutletLine):
    """Where one operation on one outlet stands."""

    service: str
    changed_at: Moment


class BoardAnswer(Shown):
    """The fan-out board of one article."""

    items: list[BoardLineAnswer]
    awaiting: list[str]
    """Services that have not yet reported the live revision."""
    settled: bool
    """Nothing more will happen by itself, and nothing is in doubt."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "items": [
            {
                "outlet": "social/mastodon/newsroom",
                "delivery": f"{ARTICLE}:social/mastodon/newsroom:post:1",
                "operation": "post",
                "state": "confirmed",
                "sequence": 4,
                "revision": 3,
                "url": "https://mastodon.example/@newsroom/115600000000000001",
                "attempts": 1,
                "milliseconds": 412,
                "service": "social",
                "changed_at": AT,
            }
        ],
        "awaiting": [],
        "settled": True,
    }


class PictureAnswer(Shown):
    """A stored picture: pass `media_id` in `lead_image`."""

    media_id: str
    """32 hex digits: the same picture has the same id."""
    width: int
    height: int
    renditions: list[Rendition]
    """Largest first."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "media_id": PICTURE,
        "width": 2400,
        "height": 1600,
        "renditions": [
            {
                "name": "original",
                "url": f"https://news.example/media/{PICTURE}/original.jpg",
                "width": 2400,
                "height": 1600,
                "media_type": "image/jpeg",
                "size": 912_400,
            }
        ],
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


class ChecklistItem(Shown):
    """What is asked of a field, and whether it is so."""

    field: str
    level: Literal["blocking", "advice"]
    ok: bool
    message: str


class ChecklistAnswer(Shown):
    """Everything that blocks publishing, then everything that is advised."""

    ready: bool
    """Nothing blocks."""
    items: list[ChecklistItem]

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "ready": False,
        "items": [
            {
                "field": "section",
                "level": "blocking",
                "ok": False,
                "message": "is needed to publish",
            }
        ],
    }


class LockAnswer(Shown):
    """Who is editing. Only `held` and `yours` where nobody is."""

    held: bool
    yours: bool
    held_by: str | None = None
    held_by_name: str | None = None
    session: str | None = None
    """Only of one's own."""
    since: Moment | None = None
    expires_at: Moment | None = None

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "held": True,
        "yours": True,
        "held_by": PERSON,
        "held_by_name": "Ada Quill",
        "session": "tab-1",
        "since": AT,
        "expires_at": "2026-11-23T09:31:00.000Z",
    }


class AutosaveLine(Shown):
    """What is kept of one page."""

    session: str
    seq: int
    base_revision: int
    saved_at: Moment
    stale: bool
    """The article has changed since the page was opened."""


class AutosaveAnswer(AutosaveLine):
    """What is kept now."""

    current_revision: int

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "session": "tab-1",
        "seq": 17,
        "base_revision": 3,
        "saved_at": AT,
        "stale": False,
        "current_revision": 3,
    }


class AutosaveInFull(AutosaveLine):
    """With what was typed, as it was typed."""

    content: dict[str, Any]


class AutosavesAnswer(Shown):
    """Everything of yours on this article that is not saved, newest first."""

    items: list[AutosaveInFull]
    current_revision: int | None = None
    """Left out once the article is deleted."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "items": [
            {
                "session": "tab-1",
                "seq": 17,
                "base_revision": 3,
                "saved_at": AT,
                "stale": False,
                "content": {"headline": "Harbour bridge reop"},
            }
        ],
        "current_revision": 3,
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


class AuthorAnswer(ProfileText, Shown):
    """An author's profile."""

    name: str
    slug: str
    """What a byline's `author` names."""
    portrait: Portrait | None = None  # type: ignore[assignment] # with its stored sizes
    revision: int
    created_at: Moment
    updated_at: Moment

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "slug": "ada-quill",
        "name": "Ada Quill",
        "role": "City reporter",
        "bio": "Writes about bridges.",
        "links": [{"name": "Mastodon", "url": "https://mastodon.example/@ada"}],
        "revision": 1,
        "created_at": AT,
        "updated_at": AT,
    }


class SectionAnswer(Shown):
    """A section of the paper."""

    slug: str
    name: str
    parent: str | None = None
    path: list[str]
    """From the top of the tree down to it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "slug": "transport",
        "name": "Transport",
        "parent": "city",
        "path": ["city", "transport"],
    }


class ForeseenLine(PreviewLine):
    """One outlet's part."""

    service: str


class PreviewAnswer(Shown):
    """What every outlet would get."""

    revision: int
    act: Literal["publish", "correct", "retract", "unpublish"]
    url: str
    status: Status
    published_at: Moment | None = None
    acted_at: Moment
    blocking: dict[str, str]
    """What stands in the way now, by field."""
    outlets: list[ForeseenLine]
    unavailable: list[dict[str, str]]
    """Services that did not answer: `service` and `error`."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "revision": 3,
        "act": "publish",
        "url": STANDS["url"],
        "status": "published",
        "published_at": AT,
        "acted_at": AT,
        "blocking": {},
        "outlets": [{**PreviewLine.EXAMPLE, "service": "social"}],
        "unavailable": [],
    }
