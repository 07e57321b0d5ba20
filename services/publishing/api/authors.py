"""Author profiles over HTTP: anybody in the newsroom reads them, editors keep them."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.authors import Author, NewAuthor, ProfileText
from services.publishing.domain.fields import SLUG, SLUG_LENGTH
from services.publishing.store.authors import AuthorStore
from services.publishing.usecases import authors as acts
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.web.identity import require_role
from shared.web.problems import Problem, not_found
from shared.web.requests import (
    etag_of,
    json_response,
    paging,
    query_values,
    read_json,
    require_match,
)


def as_json(author: Author, public_url: str) -> dict[str, Any]:
    portrait = author.portrait(public_url)
    return {
        **author.profile.model_dump(),
        "slug": author.slug,
        "portrait": portrait.model_dump() if portrait else None,
        "revision": author.revision,
        "created_at": author.created_at,
        "updated_at": author.updated_at,
    }


def _slug(text: str) -> bool:
    return len(text) <= SLUG_LENGTH and re.fullmatch(SLUG, text) is not None


def _path_slug(request: web.Request) -> str:
    slug = request.match_info["slug"]
    if not _slug(slug):
        raise not_found("author", "slug")
    return slug


def routes(room: Newsroom, store: AuthorStore) -> list[web.AbstractRouteDef]:
    def answer(author: Author, status: int = 200) -> web.Response:
        headers = {"ETag": etag_of(author.revision), "Cache-Control": "no-store"}
        if status == 201:
            headers["Location"] = f"/api/v1/authors/{author.slug}"
        body = shown(as_json(author, room.public_url))
        return json_response(body, status=status, headers=headers)

    async def create(request: web.Request) -> web.Response:
        person = await require_role(request, Role.EDITOR)
        new = await read_json(request, NewAuthor)
        return answer(await acts.add_author(room, new, person), 201)

    async def listing(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        limit, cursor = paging(query_values(request, {"limit", "cursor"}))
        if cursor is not None and not _slug(cursor):
            raise Problem(422, "cursor is not one of ours", field="cursor")
        found = await store.page(cursor, limit + 1)
        items = [as_json(author, room.public_url) for author in found[:limit]]
        more = len(found) > limit
        return json_response({"items": shown(items), "next": items[-1]["slug"] if more else None})

    async def read(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        return answer(await acts.load_author(room, _path_slug(request)))

    async def change(request: web.Request) -> web.Response:
        person = await require_role(request, Role.EDITOR)
        slug, expected = _path_slug(request), require_match(request)
        patch = await read_json(request, ProfileText)
        return answer(await acts.change_author(room, slug, expected, patch, person))

    async def delete(request: web.Request) -> web.Response:
        person = await require_role(request, Role.EDITOR)
        await acts.delete_author(room, _path_slug(request), require_match(request), person)
        return web.Response(status=204)

    return [
        web.post("/api/v1/authors", refusing(create)),
        web.get("/api/v1/authors", refusing(listing)),
        web.get("/api/v1/authors/{slug}", refusing(read)),
        web.patch("/api/v1/authors/{slug}", refusing(change)),
        web.delete("/api/v1/authors/{slug}", refusing(delete)),
    ]
