"""The checklist of one article over HTTP: what still blocks publishing, and what is worth a second look."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from services.publishing.api.act_texts import ARTICLES
from services.publishing.api.desk_answers import ChecklistAnswer
from services.publishing.api.refusals import refusing
from services.publishing.domain.checklist import checklist
from services.publishing.usecases.change import load
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, described
from shared.web.identity import require_role
from shared.web.requests import etag_of, json_response, path_id, query_values

CHECKLIST = Operation(
    "read_checklist",
    "See what still keeps it from being published",
    ARTICLES,
    {200: Answer("What blocks, and what is worth a look.", ChecklistAnswer, headers=("ETag",))},
    role=Role.CONTRIBUTOR,
)


def routes(room: Newsroom) -> list[web.AbstractRouteDef]:
    async def show(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        copy = (await load(room, path_id(request))).copy
        items = checklist(copy, room.clock.now(), room.public_url)
        ready = all(item.ok for item in items if item.level == "blocking")
        # The tag says which revision was judged; what it names elsewhere may have changed since.
        headers = {"ETag": etag_of(copy.revision), "Cache-Control": "no-store"}
        document = {"ready": ready, "items": [asdict(item) for item in items]}
        return json_response(document, headers=headers)

    return [described(web.get("/api/v1/articles/{id}/checklist", refusing(show)), CHECKLIST)]
