"""The trash over HTTP: what was deleted within thirty days, taken out again or thrown away for good."""

from __future__ import annotations

from aiohttp import web

from services.publishing.api.act_texts import ARTICLES, NOT_YOURS, ONE, SLUG_TAKEN
from services.publishing.api.articles import answer
from services.publishing.api.history_answers import TrashItem
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.store.trash import TrashStore
from services.publishing.usecases import trash as acts
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.web.description import PAGING, Answer, Operation, Page, described
from shared.web.identity import require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, paging, path_id, query_values

LIST = Operation(
    "list_trash",
    "List deleted drafts",
    ARTICLES,
    {200: Answer("What can be taken out again.", Page[TrashItem])},
    role=Role.CONTRIBUTOR,
    query=PAGING,
)
TAKE_OUT = Operation(
    "restore_from_trash",
    "Take a draft out of the trash",
    ARTICLES,
    {200: ONE},
    role=Role.CONTRIBUTOR,
    text="Under another slug where its own is taken. A contributor may take out drafts of their own.",
    refusals=(NOT_YOURS, SLUG_TAKEN),
)
PURGE = Operation(
    "delete_from_trash",
    "Throw a draft away for good",
    ARTICLES,
    {204: Answer("It is gone; its revisions stay in the log.")},
    role=Role.CONTRIBUTOR,
    text="A contributor may throw away drafts of their own.",
    refusals=(NOT_YOURS,),
)


def routes(room: Newsroom, trash: TrashStore) -> list[web.AbstractRouteDef]:
    async def listing(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        limit, cursor = paging(query_values(request, {"limit", "cursor"}))
        if cursor is not None and not is_id(cursor):
            raise Problem(422, "cursor is not one of ours", field="cursor")
        found = await trash.page(cursor, limit + 1)
        following = found[limit - 1]["id"] if len(found) > limit else None
        return json_response({"items": shown(found[:limit]), "next": following})

    async def take_out(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        return answer(await acts.take_out(room, path_id(request), person), room)

    async def purge(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await acts.purge(room, path_id(request), person)
        return web.Response(status=204)

    return [
        described(web.get("/api/v1/trash", listing), LIST),
        described(web.post("/api/v1/trash/{id}/restore", refusing(take_out)), TAKE_OUT),
        described(web.delete("/api/v1/trash/{id}", refusing(purge)), PURGE),
    ]
