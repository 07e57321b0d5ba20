"""People over HTTP: who may sign in, and what an admin may change about it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.answers import listed, page_of, refuse_at_once
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.people import NewPerson, PersonChange
from services.publishing.usecases import people as acts
from services.publishing.usecases import second_factor, sessions
from services.publishing.usecases.front_desk import FrontDesk, Person
from shared.contracts.identity import Role
from shared.web.identity import require_role
from shared.web.requests import (
    etag_of,
    json_response,
    path_id,
    query_values,
    read_json,
    require_match,
)


def person_json(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "role": person.role.name.lower(),
        "disabled": person.disabled,
        "totp": person.second_factor is not None,
        "created_at": person.created_at,
        "revision": person.revision,
    }


def _one(person: Person) -> web.Response:
    return json_response(shown(person_json(person)), headers={"ETag": etag_of(person.revision)})


def routes(desk: FrontDesk) -> list[web.AbstractRouteDef]:
    async def add_person(request: web.Request) -> web.Response:
        admin = await require_role(request, Role.ADMIN)
        person = await acts.add_person(desk, await read_json(request, NewPerson), admin)
        return json_response(shown(person_json(person)), status=201)

    async def change_person(request: web.Request) -> web.Response:
        admin = await require_role(request, Role.ADMIN)
        person_id, expected = path_id(request), require_match(request)
        change = await read_json(request, PersonChange)
        person, ended = await acts.change_person(desk, person_id, expected, change, admin)
        await refuse_at_once(request, ended)
        return _one(person)

    async def show_person(request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        query_values(request, set())
        return _one(await acts.read_person(desk, path_id(request)))

    async def list_people(request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        limit, cursor = page_of(query_values(request, {"limit", "cursor"}))
        found = await desk.people.page(cursor, limit + 1)
        return listed([person_json(one) for one in found], limit)

    async def end_second_factor(request: web.Request) -> web.Response:
        admin = await require_role(request, Role.ADMIN)
        await second_factor.end_for(desk, path_id(request), admin)
        return web.Response(status=204)

    async def sign_out(request: web.Request) -> web.Response:
        admin = await require_role(request, Role.ADMIN)
        ended = await sessions.end_sessions(desk, path_id(request), admin)
        await refuse_at_once(request, ended)
        return json_response({"ended": len(ended)})

    return [
        web.post("/api/v1/users", refusing(add_person)),
        web.get("/api/v1/users", refusing(list_people)),
        web.get("/api/v1/users/{id}", refusing(show_person)),
        web.patch("/api/v1/users/{id}", refusing(change_person)),
        web.delete("/api/v1/users/{id}/totp", refusing(end_second_factor)),
        web.post("/api/v1/users/{id}/sign-out", refusing(sign_out)),
    ]
