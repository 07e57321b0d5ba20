"""`POST /api/v1/articles/{id}/preview`: what every outlet would get, exactly, before anybody gets it."""

from __future__ import annotations

from aiohttp import web

from services.publishing.api.act_texts import ARTICLES, SLUG_TAKEN, WRONG_STATUS
from services.publishing.api.desk_answers import PreviewAnswer
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.asking import Asker
from services.publishing.domain.foresight import PreviewText
from services.publishing.usecases.ports import Newsroom
from services.publishing.usecases.preview import preview
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Refusal, described
from shared.web.identity import require_role
from shared.web.requests import json_response, path_id, query_values, read_json

PREVIEW = Operation(
    "preview_article",
    "See what every outlet would get",
    ARTICLES,
    {200: Answer("Exactly what would be sent, by the code that sends it.", PreviewAnswer)},
    role=Role.CONTRIBUTOR,
    text="Of the article as it is, or with `changes` that are not saved yet. Writes nothing.",
    body=PreviewText,
    body_optional=True,
    example={"act": "publish", "changes": {"headline": "Harbour bridge reopens at last"}},
    refusals=(
        WRONG_STATUS,
        SLUG_TAKEN,
        Refusal(422, "Unknown parameter", "nope", "allowed: "),
    ),
)


def routes(room: Newsroom, asker: Asker) -> list[web.AbstractRouteDef]:
    async def show(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        article_id = path_id(request)
        wanted = PreviewText()
        if request.can_read_body:
            wanted = await read_json(request, PreviewText)
        ask = asker.on_behalf_of(request.headers["Authorization"])
        found = await preview(room, article_id, wanted, ask)
        head = {
            "revision": found.revision,
            "act": found.act,
            "url": found.article.url,
            "status": found.article.status.value,
            "published_at": found.article.published_at,
            "acted_at": found.article.updated_at,
        }
        # A payload is shown as it is, with what is null in it.
        answer = {
            **shown(head),
            "blocking": found.blocking,
            "outlets": found.outlets,
            "unavailable": found.unavailable,
        }
        return json_response(answer, headers={"Cache-Control": "no-store"})

    return [described(web.post("/api/v1/articles/{id}/preview", refusing(show)), PREVIEW)]
