"""The sections of the paper as a tree, as the console offers them. Read only: the file decides."""

from __future__ import annotations

from aiohttp import web

from services.publishing.api.desk_answers import SectionAnswer
from services.publishing.api.shown import shown
from shared.contracts.identity import Role
from shared.runtime.publication import Publication
from shared.web.description import Answer, Operation, Page, Tag, described
from shared.web.identity import require_role
from shared.web.requests import json_response, query_values

SECTIONS = Operation(
    "list_sections",
    "List the sections as a tree",
    Tag("Sections", "The paper's sections, as its file has them."),
    {200: Answer("All of them, each behind its parent.", Page[SectionAnswer])},
    role=Role.CONTRIBUTOR,
)


def routes(publication: Publication) -> list[web.AbstractRouteDef]:
    async def listing(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        items = [
            {
                "slug": section.slug,
                "name": section.name,
                "parent": section.parent,
                "path": [one.slug for one in publication.section_path(section.slug)],
            }
            for section in publication.section_tree()
        ]
        return json_response({"items": shown(items), "next": None})

    return [described(web.get("/api/v1/sections", listing), SECTIONS)]
