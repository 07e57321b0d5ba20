"""What publishing answers around an article, as models: its board and pictures, who is at work on it, previews."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from services.publishing.api.article_answers import (
    ARTICLE,
    AT,
    PERSON,
    PICTURE,
    STANDS,
    ReactionTotal,
)
from services.publishing.domain.authors import ProfileText
from shared.contracts.articles import Portrait, Rendition, Status
from shared.contracts.outlets import Counts, OutletLine
from shared.web.description import Moment, Shown
from shared.web.previews import PreviewLine


class PostFigures(Shown):
    """How one post is doing."""

    at: Moment
    """When its network was asked."""
    gone: bool
    """The network no longer has it, and nobody here removed it."""
    counts: Counts


class BoardLineAnswer(OutletLine):
    """Where one operation on one outlet stands."""

    service: str
    changed_at: Moment
    figures: PostFigures | None = None
    """How the post that this line made is doing, once its counts were read."""


class BoardAnswer(Shown):
    """The fan-out board of one article."""

    items: list[BoardLineAnswer]
    awaiting: list[str]
    """Services that have not yet reported the live revision."""
    settled: bool
    """Nothing more will happen by itself, and nothing is in doubt."""
    reaction: ReactionTotal | None = None
    """All posts together."""

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
                "figures": {
                    "at": AT,
                    "gone": False,
                    "counts": {"likes": 41, "reposts": 12, "replies": 3, "quotes": 0},
                },
            }
        ],
        "reaction": ReactionTotal.EXAMPLE,
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
