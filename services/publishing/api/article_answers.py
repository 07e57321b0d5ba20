"""What publishing answers about articles, as models: tests hold the answers to them, handlers never pass through."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic.json_schema import SkipJsonSchema

from services.publishing.domain.content import Content
from services.publishing.domain.picture_text import InlineImageText
from shared.contracts.articles import Correction, LeadImage, Retraction, Status
from shared.contracts.outlets import Counts
from shared.web.description import Id, Moment, Shown

ARTICLE = "0199f0a2-6f3e-7c41-9d2b-5a8e4c1b7d60"
PERSON = "0199ef11-20c4-7b0d-8a3f-91d2c6e0b754"
PICTURE = "9f86d081884c7d659a2feaa0c55ad015"
AT = "2026-11-23T09:30:00.000Z"

WRITTEN = {
    "headline": "Harbour bridge reopens after two years",
    "standfirst": "Trams cross again from Monday.",
    "body": "The bridge *reopened* on Monday morning.",
    "section": "city",
    "tags": ["transport"],
    "bylines": [{"name": "Ada Quill", "role": "City reporter"}],
    "language": "en",
    "social": {"mastodon": "Trams cross the harbour again."},
}
"""What a person writes, in the examples."""
STANDS = {
    "summary": "",
    "access": "free",
    "priority": "normal",
    "noindex": False,
    "skip_outlets": [],
    "related": [],
    "corrections": [],
    "local": {
        "published_at": "2026-11-23T09:30:00.000+00:00",
        "updated_at": "2026-11-23T09:30:00.000+00:00",
    },
    "id": ARTICLE,
    "slug": "harbour-bridge-reopens-after-two-years",
    "url": "https://news.example/articles/harbour-bridge-reopens-after-two-years",
    "status": "published",
    "revision": 3,
    "published_at": AT,
    "updated_at": AT,
    "created_at": "2026-11-23T08:12:41.120Z",
    "created_by": PERSON,
}


class SignedAnswer(Shown):
    """Who did it, and when."""

    by: str
    """The person's id."""
    by_name: str
    at: Moment


class ReviewAnswer(SignedAnswer):
    """The last submission or return."""

    note: str | None = None
    """What the author should change; only of a return."""


class ScheduleAnswer(SignedAnswer):
    """When it becomes public."""

    due: Moment
    latest: Moment
    """Later than this it does not."""


class MissedAnswer(Shown):
    """A schedule that did not come true."""

    due: Moment
    at: Moment
    reason: str


class RetractionRequestAnswer(SignedAnswer):
    """Somebody wants it retracted; a second person confirms or declines."""

    reason: str


class Standing(Shown):
    """What is arranged around an article, and its instants by the publication's clock."""

    review: ReviewAnswer | None = None
    schedule: ScheduleAnswer | None = None
    scheduled_at: Moment | None = None
    missed: MissedAnswer | None = None
    retraction_request: RetractionRequestAnswer | None = None
    local: dict[str, str]
    """`published_at`, `updated_at`, `scheduled_at` and `embargo_until`, those there are, with their offset."""


class ReactionTotal(Shown):
    """What the public did with an article's posts, on all networks together."""

    posts: int
    """Of how many posts counts were read."""
    gone: int
    """How many of them their networks no longer have, although nobody here removed them."""
    at: Moment
    """The last reading."""
    counts: Counts
    """Sums of what the networks name; each names other things."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "posts": 3,
        "gone": 0,
        "at": AT,
        "counts": {"likes": 241, "reposts": 62, "replies": 13, "views": 9100},
    }


class ArticleAnswer(Standing, Content):
    """An article as the newsroom holds it: everything written, and where it stands."""

    id: Id
    slug: str
    url: str
    """Where readers find it, or will."""
    language: str
    lead_image: LeadImage | None = None  # type: ignore[assignment] # with its stored sizes
    status: Status
    revision: int
    """The ETag is this number."""
    publication: int
    """How often the article became public; 0 for a draft."""
    published_at: Moment | None = None
    """The first publication, for ever."""
    updated_at: Moment
    corrections: list[Correction]
    retraction: Retraction | None = None
    redirects: list[str]
    """Slugs under which it was public before."""
    created_at: Moment
    created_by: str
    unpublished_changes: bool
    """Whether publishing now would show readers anything else than they have."""
    reaction: ReactionTotal | None = None
    """Only of a single article that is read, once counts came in. The ETag does not follow it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **WRITTEN,
        **STANDS,
        "images": [],
        "publication": 1,
        "redirects": [],
        "unpublished_changes": False,
    }


class ArticleBrief(Standing, Content):
    """An article in a list, without its text."""

    body: SkipJsonSchema[str] = ""
    images: SkipJsonSchema[tuple[InlineImageText, ...]] = ()
    id: Id
    slug: str
    url: str
    language: str
    status: Status
    revision: int
    published_at: Moment | None = None
    updated_at: Moment
    corrections: list[Correction]
    created_at: Moment
    created_by: str

    EXAMPLE: ClassVar[dict[str, Any]] = {
        name: value for name, value in (WRITTEN | STANDS).items() if name != "body"
    }


class CalendarItem(ArticleBrief):
    """An article on the calendar."""

    at: Moment
    """When it is due, or was first published."""
    day: str
    """That day by the publication's clock."""

    EXAMPLE: ClassVar[dict[str, Any]] = {**ArticleBrief.EXAMPLE, "at": AT, "day": "2026-11-23"}


class CalendarAnswer(Shown):
    """A stretch of time, in order."""

    items: list[CalendarItem]
    time_zone: str
    complete: bool
    """False where there is more than is shown: ask for less time."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "items": [CalendarItem.EXAMPLE],
        "time_zone": "Europe/Lisbon",
        "complete": True,
    }
