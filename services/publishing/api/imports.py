"""Import and export over HTTP, one article at a time: what an export answers is what an import takes."""

from __future__ import annotations

import re

from aiohttp import web

from services.publishing.api.refusals import refusing
from services.publishing.api.transfer_answers import EXPORT, TAKE_IN
from services.publishing.domain.article import article_url
from services.publishing.domain.departing import depart
from services.publishing.domain.imported import (
    EXTERNAL_ID_LENGTH,
    SOURCE,
    SOURCE_LENGTH,
    Arrival,
)
from services.publishing.usecases import importing
from services.publishing.usecases.ports import Newsroom
from services.publishing.usecases.references import resolved
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.web.description import described
from shared.web.identity import require_role
from shared.web.problems import Problem, not_found
from shared.web.requests import json_response, paging, query_values, read_json

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")


def _origin(request: web.Request) -> tuple[str, str]:
    source, external_id = request.match_info["source"], request.match_info["external_id"]
    if len(source) > SOURCE_LENGTH or not re.fullmatch(SOURCE, source):
        raise not_found("source", "source")
    if len(external_id) > EXTERNAL_ID_LENGTH or _UNPRINTABLE.search(external_id):
        raise not_found("external id", "external_id")
    return source, external_id


def routes(room: Newsroom) -> list[web.AbstractRouteDef]:
    async def take_in(request: web.Request) -> web.Response:
        person = await require_role(request, Role.ADMIN)
        source, external_id = _origin(request)
        trial = query_values(request, {"trial"}).get("trial", "false")
        if trial not in {"true", "false"}:
            raise Problem(422, "trial must be true or false", field="trial")
        arrival = await read_json(request, Arrival)
        taken = await importing.take_in(
            room, source, external_id, arrival, person, trial=trial == "true"
        )
        answer: dict[str, object] = {
            "outcome": taken.outcome,
            "unchanged": taken.outcome == "unchanged",
            "notes": list(taken.notes),
        }
        if copy := taken.copy:
            answer |= {
                "id": copy.id,
                "slug": copy.slug,
                "status": copy.status.value,
                "revision": copy.revision,
                "url": article_url(room.public_url, copy.live.slug if copy.live else copy.slug),
            }
        made = taken.outcome == "created" and trial == "false"
        return json_response(answer, status=201 if made else 200)

    async def export(request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        limit, cursor = paging(query_values(request, {"limit", "cursor"}))
        if cursor is not None and not is_id(cursor):
            raise Problem(422, "cursor is not one of ours", field="cursor")
        found = await room.articles.in_order(cursor, limit + 1)
        page = await resolved(room, found[:limit])
        items = []
        for kept in page:
            leaving = depart(kept.copy, room.public_url)
            items.append(
                {
                    "source": leaving.source,
                    "external_id": leaving.external_id,
                    "article": leaving.article,
                    "notes": list(leaving.notes),
                }
            )
        following = page[-1].copy.id if len(found) > limit else None
        return json_response({"items": items, "next": following})

    return [
        described(web.put("/api/v1/imports/{source}/{external_id}", refusing(take_in)), TAKE_IN),
        described(web.get("/api/v1/exports/articles", refusing(export)), EXPORT),
    ]
