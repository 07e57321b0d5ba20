"""What import, export and inbound webhooks answer, as models, and how each of their routes is described."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from services.publishing.api.article_answers import ARTICLE, AT
from services.publishing.domain.imported import Arrival
from services.publishing.domain.inbound.messages import Kind, NewSource, StandardMessage
from shared.contracts.articles import Status
from shared.contracts.identity import Role
from shared.web.description import (
    PAGING,
    Answer,
    Id,
    Moment,
    Operation,
    Page,
    Parameter,
    Refusal,
    Shown,
    Tag,
)

_NOT_POSSIBLE = "Not possible as things stand"
_STANDS = {
    "id": ARTICLE,
    "slug": "bridge",
    "status": "published",
    "revision": 1,
    "url": "https://news.example/articles/bridge",
}
_ARRIVAL = {
    "headline": "Harbour bridge reopens",
    "body": "It *reopened*.",
    "section": "city",
    "bylines": ["Ada Quill"],
    "slug": "bridge",
    "status": "published",
    "published_at": "2019-05-03T10:00:00Z",
    "former_paths": ["/2019/05/bridge", "/?p=12"],
}


class ImportAnswer(Shown):
    """What came of it. A trial of an article that is not here yet tells no more than the outcome."""

    outcome: Literal["created", "updated", "unchanged"]
    unchanged: bool
    notes: list[str]
    """What was not taken as it was given."""
    id: Id | None = None
    slug: str | None = None
    status: Status | None = None
    revision: int | None = None
    url: str | None = None

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "outcome": "created",
        "unchanged": False,
        "notes": [],
        **_STANDS,
    }


class ExportedArticle(Shown):
    """One article as an import takes it."""

    source: str
    external_id: str
    article: dict[str, Any]
    """The body of `PUT /api/v1/imports/{source}/{external_id}`."""
    notes: list[str]
    """What an export cannot carry."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "source": "old.example",
        "external_id": "12",
        "article": _ARRIVAL,
        "notes": [],
    }


class InboundAnswer(Shown):
    """What came of a message."""

    outcome: Literal["created", "updated", "unchanged", "withdrawn", "ignored"]
    notes: list[str]
    """Pictures that could not be had, and what was not taken as it was given."""
    ignored: str | None = None
    """Why nothing was done: `older`, `seen`, `unknown`, `not public`, or that it is no article."""
    id: Id | None = None
    status: Status | None = None
    revision: int | None = None
    url: str | None = None

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "outcome": "created",
        "notes": [],
        **{name: value for name, value in _STANDS.items() if name != "slug"},
    }


class SourceAnswer(Shown):
    """A CMS that may publish here."""

    name: str
    kind: Kind
    default_section: str | None = None
    section_map: dict[str, str]
    auto_publish: bool
    language: str | None = None
    endpoint: str
    """The address to which it sends its messages."""
    created_at: Moment

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "name": "old.example",
        "kind": "wordpress",
        "default_section": "city",
        "section_map": {"Local news": "city"},
        "auto_publish": True,
        "endpoint": "https://news.example/api/v1/inbound/old.example",
        "created_at": AT,
    }


class NewSourceAnswer(SourceAnswer):
    """The source with its secret, which is shown this once."""

    secret: str

    EXAMPLE: ClassVar[dict[str, Any]] = {**SourceAnswer.EXAMPLE, "secret": "whsec_..."}


TRANSFER = Tag("Import and export", "Archives in and out, one article at a time; nobody is told.")
INBOUND = Tag("Inbound webhooks", "Other CMSs that publish, change and withdraw articles here.")
SOURCE = Parameter("source", "What the old system is called.", example="old.example")
NO_SOURCE = Refusal(404, "There is no such source", "source")

TAKE_IN = Operation(
    "import_article",
    "Bring in an article from elsewhere",
    TRANSFER,
    {
        200: Answer("It was here: brought up to date, or left as it is.", ImportAnswer),
        201: Answer("It is here now.", ImportAnswer),
    },
    role=Role.ADMIN,
    text="The same document again changes nothing. `trial=true` checks everything and keeps nothing.",
    body=Arrival,
    example=_ARRIVAL,
    path=(SOURCE, Parameter("external_id", "What it calls the article.", example="12")),
    query=(
        Parameter("trial", "Only check.", {"type": "string", "enum": ["true", "false"]}, "true"),
    ),
    refusals=(
        NO_SOURCE,
        Refusal(
            409,
            _NOT_POSSIBLE,
            "external_id",
            f"article {ARTICLE} was worked on here since it came; it stays as it is",
        ),
        Refusal(409, _NOT_POSSIBLE, "former_paths", "/?p=12 belongs to another article"),
    ),
)
EXPORT = Operation(
    "export_articles",
    "Every article, as an import takes it",
    TRANSFER,
    {200: Answer("Articles by id.", Page[ExportedArticle])},
    role=Role.ADMIN,
    query=PAGING,
)
RECEIVE = Operation(
    "receive_webhook",
    "Take a message of another CMS",
    INBOUND,
    {200: Answer("What was done, or why nothing was.", InboundAnswer)},
    text=(
        "Signed as Standard Webhooks say, or as Ghost does (`X-Ghost-Signature`). The body shown is that of "
        "the kind `standard`; WordPress's plugin and Ghost send their own (docs/adopting.md)."
    ),
    body=StandardMessage,
    example={
        "type": "article.published",
        "external_id": "12",
        "updated_at": AT,
        "article": {"headline": "Harbour bridge reopens", "body": "It did.", "section": "city"},
    },
    path=(SOURCE,),
    headers=(
        Parameter("webhook-id", "The message's id, the same on every attempt."),
        Parameter("webhook-timestamp", "When it is sent, in Unix seconds."),
        Parameter("webhook-signature", "`v1,` and the HMAC-SHA256 in base64."),
        Parameter("X-Ghost-Signature", "From Ghost in the place of these three."),
    ),
    refusals=(
        Refusal(
            401,
            "The message is not signed as it must be",
            "webhook-signature",
            "is not a signature of this message by this source",
        ),
        NO_SOURCE,
        Refusal(
            409,
            _NOT_POSSIBLE,
            "external_id",
            f"article {ARTICLE} was worked on here since it came; it stays as it is",
        ),
    ),
)
ADD_SOURCE = Operation(
    "add_inbound_source",
    "Let another CMS publish here",
    INBOUND,
    {201: Answer("The source with its secret.", NewSourceAnswer)},
    role=Role.ADMIN,
    body=NewSource,
    example={"name": "old.example", "kind": "wordpress", "default_section": "city"},
    refusals=(Refusal(409, _NOT_POSSIBLE, "name", "another source has this name"),),
)
LIST_SOURCES = Operation(
    "list_inbound_sources",
    "List the CMSs that may publish here",
    INBOUND,
    {200: Answer("All of them, without their secrets.", Page[SourceAnswer])},
    role=Role.ADMIN,
)
REMOVE_SOURCE = Operation(
    "remove_inbound_source",
    "Take no more messages of a CMS",
    INBOUND,
    {204: Answer("It may publish no more; its articles stay.")},
    role=Role.ADMIN,
    path=(Parameter("name", "The source's name.", example="old.example"),),
    refusals=(Refusal(404, "There is no such source", "name"),),
)
