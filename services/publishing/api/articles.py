"""Articles over HTTP: create, list, read, edit and delete."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast
from zoneinfo import ZoneInfo

from aiohttp import web

from services.publishing.api.autosaves import PAGE, page_from
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.article import (
    WorkingCopy,
    article_url,
    has_unpublished_changes,
    lead_image,
)
from services.publishing.domain.content import Content
from services.publishing.store.desk import DeskStore, Wanted, standing_json
from services.publishing.usecases import trash, writing
from services.publishing.usecases.autosaving import Autosaves, saved
from services.publishing.usecases.change import load
from services.publishing.usecases.ports import Newsroom
from shared.contracts.articles import Status
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.web.identity import require_role
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

FILTERS = {"section", "tag", "created_by", "author", "language", "translation_group"}


def as_json(copy: WorkingCopy, room: Newsroom) -> dict[str, Any]:
    """The working copy in the words of the Article JSON."""
    public = copy.live if copy.live and copy.status is Status.PUBLISHED else None
    image = lead_image(copy, room.public_url)
    standing = standing_json(asdict(copy.standing))
    document = {
        **copy.content.model_dump(),
        "id": copy.id,
        "slug": copy.slug,
        "url": public.url if public else article_url(room.public_url, copy.slug),
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
        "unpublished_changes": has_unpublished_changes(copy, room.public_url),
        **standing,
    }
    document["local"] = local_times(document, room.zone)
    return cast(dict[str, Any], shown(document))


def local_times(document: dict[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """The article's instants as the publication's clock shows them (RFC 3339 with its offset)."""
    return {
        name: document[name].astimezone(zone).isoformat(timespec="milliseconds")
        for name in ("published_at", "updated_at", "scheduled_at", "embargo_until")
        if document.get(name) is not None
    }


def answer(
    copy: WorkingCopy, room: Newsroom, status: int = 200, location: bool = False
) -> web.Response:
    headers = {"ETag": etag_of(copy.revision), "Cache-Control": "no-store"}
    if location:
        headers["Location"] = f"/api/v1/articles/{copy.id}"
    return json_response(as_json(copy, room), status=status, headers=headers)


def wanted_from(values: dict[str, str], person: str) -> Wanted:
    """The filters of a list. Raises `Problem` naming the parameter."""
    statuses = tuple(values["status"].split(",")) if "status" in values else ()
    if not set(statuses) <= set(Status):
        raise Problem(422, f"status must be some of {', '.join(Status)}", field="status")
    flags = {name: values.get(name, "false") for name in ("mine", "missed", "corrected")}
    for name, value in flags.items():
        if value not in {"true", "false"}:
            raise Problem(422, f"{name} must be true or false", field=name)
    filters = {name: values.get(name) for name in FILTERS}
    if flags["mine"] == "true":
        filters["created_by"] = person
    return Wanted(
        statuses=statuses,
        missed=flags["missed"] == "true",
        corrected=flags["corrected"] == "true",
        text=values.get("q"),
        **filters,
    )


def routes(room: Newsroom, desk: DeskStore, autosaves: Autosaves) -> list[web.AbstractRouteDef]:
    async def create(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        copy = await writing.create(room, await read_json(request, Content), person)
        return answer(copy, room, 201, location=True)

    async def listing(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        values = query_values(
            request, {*FILTERS, "status", "mine", "missed", "corrected", "q", "limit", "cursor"}
        )
        limit, cursor = paging(values)
        if cursor is not None and not is_id(cursor):
            raise Problem(422, "cursor is not one of ours", field="cursor")
        found = await desk.page(wanted_from(values, person.subject), cursor, limit + 1)
        more = len(found) > limit
        items = [{**one, "local": local_times(one, room.zone)} for one in found[:limit]]
        return json_response({"items": shown(items), "next": items[-1]["id"] if more else None})

    async def read(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        copy = (await load(room, path_id(request))).copy
        return answer(copy, room)

    async def edit(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id, expected = path_id(request), require_match(request)
        page = page_from(query_values(request, PAGE))
        patch = await read_json(request, Content)
        copy = await writing.edit(room, article_id, expected, patch, person)
        if page:
            await saved(room, autosaves, article_id, page, person)
        return answer(copy, room)

    async def delete(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await trash.delete(room, path_id(request), require_match(request), person)
        return web.Response(status=204)

    return [
        web.post("/api/v1/articles", refusing(create)),
        web.get("/api/v1/articles", refusing(listing)),
        web.get("/api/v1/articles/{id}", refusing(read)),
        web.patch("/api/v1/articles/{id}", refusing(edit)),
        web.delete("/api/v1/articles/{id}", refusing(delete)),
    ]
