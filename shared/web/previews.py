"""How a service answers what it would do with a snapshot: the same route everywhere. Changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, field_validator

from shared.contracts.articles import Article
from shared.contracts.base import Instant
from shared.contracts.identity import Role
from shared.web.app import taking
from shared.web.description import Answer, DescribedRoute, Operation, Refusal, Shown, Tag, described
from shared.web.identity import require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, query_values, read_json

log = structlog.get_logger(__name__)

ROOT = "/api/v1/previews"
MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024
"""More than can be published: an article's 16 MB document holds its texts three times."""
MAX_SNAPSHOT_VALUES = 100_000
MAX_COUNTED = 200_000
"""Characters of the texts that outlets count and cut; the body is never cut."""

Line = dict[str, Any]
"""What one outlet gets: at least `outlet` and `operation`, `none` with a `reason` where it gets nothing."""
Show = Callable[[Article, datetime], Awaitable[list[Line]]]
"""Every line of a service for a snapshot, acted on and sent at that instant. Must not write anything."""

NONE = "none"
"""The operation at an outlet where nothing would happen."""


class Snapshot(BaseModel):
    """What an act would tell the world, as the data of its event has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    article: Article
    acted_at: Instant
    """Everything that carries the time of sending carries this one."""

    @field_validator("article")
    @classmethod
    def _can_be_counted(cls, article: Article) -> Article:
        texts = (
            *(article.headline, article.standfirst, article.summary),
            *article.tags,
            *article.social.values(),
            *(notice.text for notice in article.corrections),
        )
        if sum(map(len, texts)) > MAX_COUNTED:
            raise ValueError(f"has more than {MAX_COUNTED:,} characters beside its body")
        return article


class PreviewLine(Shown):
    """What one outlet would get; beside these, exactly what would be sent there."""

    model_config = ConfigDict(extra="allow")

    outlet: str
    operation: str
    """`none` where nothing would happen; `reason` says why."""
    reason: str | None = None
    error: str | None = None
    """Why it cannot be shown now."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "outlet": "social/mastodon/newsroom",
        "operation": "post",
        "effect": "posted",
        "payload": {"status": "Trams cross the harbour again."},
    }


class PreviewLines(Shown):
    """One service's part of a preview."""

    outlets: list[PreviewLine]

    EXAMPLE: ClassVar[dict[str, Any]] = {"outlets": [PreviewLine.EXAMPLE]}


PREVIEWS = Tag("Previews", "What one service would do with a snapshot; publishing asks them all.")
EXAMPLE = {
    "article": {
        "id": "0199f0a2-6f3e-7c41-9d2b-5a8e4c1b7d60",
        "slug": "harbour-bridge-reopens",
        "url": "https://news.example/articles/harbour-bridge-reopens",
        "headline": "Harbour bridge reopens",
        "body": "The bridge reopened on Monday.",
        "body_html": "<p>The bridge reopened on Monday.</p>",
        "section": "city",
        "language": "en",
        "status": "published",
        "revision": 3,
        "publication": 1,
        "published_at": "2026-11-23T09:30:00Z",
        "updated_at": "2026-11-23T09:30:00Z",
    },
    "acted_at": "2026-11-23T09:30:00Z",
}


def _operation(service: str) -> Operation:
    return Operation(
        f"preview_at_{service}",
        f"See what {service} would do with a snapshot",
        PREVIEWS,
        {200: Answer("Each of its outlets.", PreviewLines)},
        role=Role.CONTRIBUTOR,
        text=f"Changes nothing. The body may have {MAX_SNAPSHOT_BYTES // 2**20} MB.",
        body=Snapshot,
        example=EXAMPLE,
        refusals=(
            Refusal(422, "The snapshot cannot be shown", "article"),
            Refusal(422, "Unknown parameter", "nope", "allowed: "),
        ),
    )


def preview_route(service: str, show: Show) -> DescribedRoute:
    """`POST /api/v1/previews/<service>`: `{article, acted_at}` -> `{outlets: [...]}`.

    For everybody who may read articles. Publishing asks with snapshots of its own; any other that
    cannot be shown is refused, never an error of ours.
    """

    async def preview(request: web.Request) -> web.StreamResponse:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        asked = await read_json(request, Snapshot, max_values=MAX_SNAPSHOT_VALUES)
        try:
            lines = await show(asked.article, asked.acted_at)
        except (ValueError, LookupError, ArithmeticError) as error:
            # Publishing never makes such an address or instant; a person at a keyboard may.
            log.warning("snapshot cannot be shown", article=asked.article.id, exc_info=True)
            raise Problem(
                422, "The snapshot cannot be shown", field="article", detail=str(error)
            ) from error
        return json_response({"outlets": lines}, headers={"Cache-Control": "no-store"})

    route = web.post(f"{ROOT}/{service}", taking(MAX_SNAPSHOT_BYTES, preview))
    return described(route, _operation(service))
