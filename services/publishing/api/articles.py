"""Articles over HTTP: create, list, read, edit, delete, their revisions, and the public acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web
from pydantic import BaseModel

from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.article import (
    WorkingCopy,
    article_url,
    has_unpublished_changes,
    lead_image,
)
from services.publishing.domain.content import (
    Content,
    CorrectionText,
    RetractionText,
    Written,
)
from services.publishing.store.articles import ArticleStore
from services.publishing.usecases import publication, writing
from services.publishing.usecases.change import load
from services.publishing.usecases.ports import Newsroom
from shared.contracts.articles import Status
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.web.identity import Identity, require_role
from shared.web.problems import Problem
from shared.web.requests import (
    etag_of,
    json_response,
    paging,
    path_id,
    query_values,
    read_json,
    require_match,
)

PublicAct = Callable[[str, int | None, Any, Identity], Awaitable[WorkingCopy]]


class Nothing(Written):
    """The body of an act that needs none."""


def as_json(copy: WorkingCopy, public_url: str) -> dict[str, Any]:
    """The working copy in the words of the Article JSON."""
    public = copy.live if copy.live and copy.status is Status.PUBLISHED else None
    image = lead_image(copy, public_url)
    document = {
        **copy.content.model_dump(),
        "id": copy.id,
        "slug": copy.slug,
        "url": public.url if public else article_url(public_url, copy.slug),
        "language": copy.language,
        "lead_image": image.model_dump() if image else None,
        "status": copy.status.value,
        "revision": copy.revision,
        "publication": copy.publication,
        "published_at": copy.published_at,
        "updated_at": copy.updated_at,
        "corrections": [one.model_dump() for one in copy.corrections],
        "retraction": copy.retraction.model_dump() if copy.retraction else None,
        "redirects": list(copy.redirects),
        "created_at": copy.created_at,
        "created_by": copy.created_by,
        "unpublished_changes": has_unpublished_changes(copy, public_url),
    }
    return cast(dict[str, Any], shown(document))


def answer(
    copy: WorkingCopy, public_url: str, status: int = 200, location: bool = False
) -> web.Response:
    headers = {"ETag": etag_of(copy.revision), "Cache-Control": "no-store"}
    if location:
        headers["Location"] = f"/api/v1/articles/{copy.id}"
    return json_response(as_json(copy, public_url), status=status, headers=headers)


def routes(room: Newsroom, store: ArticleStore) -> list[web.AbstractRouteDef]:
    async def create(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        copy = await writing.create(room, await read_json(request, Content), person)
        return answer(copy, room.public_url, 201, location=True)

    async def listing(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        values = query_values(request, {"status", "section", "limit", "cursor"})
        limit, cursor = paging(values)
        if cursor is not None and not is_id(cursor):
            raise Problem(422, "cursor is not one of ours", field="cursor")
        status = values.get("status")
        if status is not None and status not in set(Status):
            raise Problem(422, f"status must be one of {', '.join(Status)}", field="status")
        found = await store.page(status, values.get("section"), cursor, limit + 1)
        more = len(found) > limit
        items = found[:limit]
        return json_response({"items": shown(items), "next": items[-1]["id"] if more else None})

    async def read(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        copy = (await load(room, path_id(request))).copy
        return answer(copy, room.public_url)

    async def edit(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id, expected = path_id(request), require_match(request)
        patch = await read_json(request, Content)
        copy = await writing.edit(room, article_id, expected, patch, person)
        return answer(copy, room.public_url)

    async def delete(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await writing.delete(room, path_id(request), require_match(request), person)
        return web.Response(status=204)

    def act(role: Role, model: type[BaseModel], do: PublicAct) -> Callable[..., Any]:
        async def handle(request: web.Request) -> web.Response:
            person = await require_role(request, role)
            article_id, expected = path_id(request), require_match(request)
            body: BaseModel = Nothing()
            if request.can_read_body or model is not Nothing:
                body = await read_json(request, model)
            return answer(await do(article_id, expected, body, person), room.public_url)

        return handle

    acts: dict[str, tuple[Role, type[BaseModel], PublicAct]] = {
        "publish": (
            Role.EDITOR,
            Nothing,
            lambda id, expected, _, person: publication.publish(room, id, expected, person),
        ),
        "correct": (
            Role.EDITOR,
            CorrectionText,
            lambda id, expected, body, person: publication.correct(
                room, id, expected, body, person
            ),
        ),
        "unpublish": (
            Role.EDITOR,
            Nothing,
            lambda id, expected, _, person: publication.unpublish(room, id, expected, person),
        ),
        "retract": (
            Role.CHIEF,
            RetractionText,
            lambda id, expected, body, person: publication.retract(
                room, id, expected, body, person
            ),
        ),
    }
    return [
        web.post("/api/v1/articles", refusing(create)),
        web.get("/api/v1/articles", refusing(listing)),
        web.get("/api/v1/articles/{id}", refusing(read)),
        web.patch("/api/v1/articles/{id}", refusing(edit)),
        web.delete("/api/v1/articles/{id}", refusing(delete)),
        *(
            web.post(f"/api/v1/articles/{{id}}/{name}", refusing(act(*parts)))
            for name, parts in acts.items()
        ),
    ]
