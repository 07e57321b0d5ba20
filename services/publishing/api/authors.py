"""Author profiles over HTTP: anybody in the newsroom reads them, editors keep them."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from services.publishing.api.desk_answers import AuthorAnswer
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.authors import Author, NewAuthor, ProfileText
from services.publishing.domain.fields import SLUG, SLUG_LENGTH
from services.publishing.store.authors import AuthorStore
from services.publishing.usecases import authors as acts
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.web.description import (
    PAGING,
    Answer,
    Operation,
    Page,
    Parameter,
    Refusal,
    Tag,
    described,
)
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

AUTHORS = Tag("Authors", "Profiles that bylines name.")
SLUG_OF_ONE = Parameter("slug", "The author's slug.", example="ada-quill")
STALE = Refusal(
    412,
    "The author has changed since you read it",
    "If-Match",
    "the author is at revision 2",
    more={"current_revision": 2},
)
NO_PICTURE = Refusal(
    422,
    "The input is not valid",
    "portrait.media_id",
    "there is no such picture; upload it first",
)
ONE = Answer("The author.", AuthorAnswer, headers=("ETag",))

CREATE = Operation(
    "add_author",
    "Make a profile",
    AUTHORS,
    {201: Answer("The author.", AuthorAnswer, headers=("ETag", "Location"))},
    role=Role.EDITOR,
    body=NewAuthor,
    example={"slug": "ada-quill", "name": "Ada Quill", "role": "City reporter"},
    refusals=(
        Refusal(409, "Not possible as things stand", "slug", "this slug belongs to another author"),
        NO_PICTURE,
    ),
)
LIST = Operation(
    "list_authors",
    "List authors by slug",
    AUTHORS,
    {200: Answer("Profiles.", Page[AuthorAnswer])},
    role=Role.CONTRIBUTOR,
    query=PAGING,
)
READ = Operation(
    "read_author",
    "Read a profile",
    AUTHORS,
    {200: ONE},
    role=Role.CONTRIBUTOR,
    path=(SLUG_OF_ONE,),
)
CHANGE = Operation(
    "change_author",
    "Change a profile",
    AUTHORS,
    {200: ONE},
    role=Role.EDITOR,
    text="Articles that are public keep what they were printed with until they are published again.",
    body=ProfileText,
    example={"role": "Harbour correspondent"},
    path=(SLUG_OF_ONE,),
    if_match=True,
    refusals=(STALE, NO_PICTURE),
)
DELETE = Operation(
    "delete_author",
    "Delete a profile",
    AUTHORS,
    {204: Answer("It is gone.")},
    role=Role.EDITOR,
    path=(SLUG_OF_ONE,),
    if_match=True,
    refusals=(
        STALE,
        Refusal(
            409,
            "Not possible as things stand",
            "slug",
            "article 0199f0a2-6f3e-7c41-9d2b-5a8e4c1b7d60 names this author in its bylines",
        ),
    ),
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
        described(web.post("/api/v1/authors", refusing(create)), CREATE),
        described(web.get("/api/v1/authors", refusing(listing)), LIST),
        described(web.get("/api/v1/authors/{slug}", refusing(read)), READ),
        described(web.patch("/api/v1/authors/{slug}", refusing(change)), CHANGE),
        described(web.delete("/api/v1/authors/{slug}", refusing(delete)), DELETE),
    ]
