"""Revisions compared and restored over HTTP. A restored revision is a new one: history is never rewritten."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.act_texts import ARTICLES, NOT_YOURS, ONE, SLUG_TAKEN, WRONG_STATUS
from services.publishing.api.acts import Nothing
from services.publishing.api.articles import answer
from services.publishing.api.history import NUMBER
from services.publishing.api.history_answers import DifferenceAnswer
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.differences import Change
from services.publishing.usecases import writing
from services.publishing.usecases.history import Against, difference
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Parameter, described
from shared.web.identity import require_role
from shared.web.requests import (
    json_response,
    path_id,
    query_values,
    read_json,
    require_match,
    whole_number,
)

COMPARE = Operation(
    "compare_revisions",
    "See what a revision changed",
    ARTICLES,
    {200: Answer("Field by field, prose word by word.", DifferenceAnswer)},
    role=Role.CONTRIBUTOR,
    path=(NUMBER,),
    query=(
        Parameter(
            "against",
            "The other side: a revision's number, `live` (what readers have) or `current`. Without it "
            "the revision before.",
            {"type": "string", "pattern": "^(live|current|[0-9]{1,15})$"},
            "live",
        ),
    ),
)
RESTORE = Operation(
    "restore_revision",
    "Bring a revision back as a new one",
    ARTICLES,
    {200: ONE},
    role=Role.CONTRIBUTOR,
    text="History is never rewritten. A contributor may restore drafts of their own.",
    body=Nothing,
    body_optional=True,
    example={},
    path=(NUMBER,),
    if_match=True,
    refusals=(WRONG_STATUS, SLUG_TAKEN, NOT_YOURS),
)


def _revision(request: web.Request) -> int:
    return whole_number(request.match_info["revision"], "revision", status=404)


def _against(request: web.Request) -> Against:
    match query_values(request, {"against"}).get("against"):
        case None:
            return "before"
        case "live" | "current" as named:
            return named
        case text:
            return whole_number(text, "against")


def _as_json(change: Change) -> dict[str, Any]:
    document = shown({name: value for name, value in vars(change).items() if name != "segments"})
    return document if change.segments is None else {**document, "segments": change.segments}


def routes(room: Newsroom) -> list[web.AbstractRouteDef]:
    async def compare(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        found = await difference(room, path_id(request), _revision(request), _against(request))
        listed = [_as_json(change) for change in found.changes]
        return json_response({"from": found.start, "to": found.end, "changes": listed})

    async def restore(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id, revision = path_id(request), _revision(request)
        expected = require_match(request)
        if request.can_read_body:
            await read_json(request, Nothing)
        return answer(await writing.restore(room, article_id, revision, expected, person), room)

    path = "/api/v1/articles/{id}/revisions/{revision}"
    return [
        described(web.get(f"{path}/diff", refusing(compare)), COMPARE),
        described(web.post(f"{path}/restore", refusing(restore)), RESTORE),
    ]
