"""The trash over HTTP: what was deleted within thirty days, taken out again or thrown away for good."""

from __future__ import annotations

from aiohttp import web

from services.publishing.api.articles import answer
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.store.trash import TrashStore
from services.publishing.usecases import trash as acts
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.web.identity import require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, paging, path_id, query_values


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
        web.get("/api/v1/trash", listing),
        web.post("/api/v1/trash/{id}/restore", refusing(take_out)),
        web.delete("/api/v1/trash/{id}", refusing(purge)),
    ]
