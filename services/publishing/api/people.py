"""People over HTTP: who may sign in, and what an admin may change about it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.answers import listed, page_of, refuse_at_once
from services.publishing.api.people_answers import EndedAnswer, PersonAnswer
from services.publishing.api.people_texts import PEOPLE
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.people import NewPerson, PersonChange
from services.publishing.usecases import people as acts
from services.publishing.usecases import second_factor, sessions
from services.publishing.usecases.front_desk import FrontDesk, Person
from shared.contracts.identity import Role
from shared.web.description import PAGING, Answer, Operation, Page, Refusal, described
from shared.web.identity import require_role
from shared.web.requests import (
    etag_of,
    json_response,
    path_id,
    query_values,
    read_json,
    require_match,
)

ONE = Answer("The person.", PersonAnswer, headers=("ETag",))

ADD = Operation(
    "add_user",
    "Add a person",
    PEOPLE,
    {201: Answer("The person.", PersonAnswer)},
    role=Role.ADMIN,
    body=NewPerson,
    example={
        "email": "ben@news.example",
        "name": "Ben Okafor",
        "role": "contributor",
        "password": "correct horse battery",
    },
    refusals=(
        Refusal(409, "Not possible as things stand", "email", "somebody has this e-mail already"),
    ),
)
LIST = Operation(
    "list_users",
    "List people",
    PEOPLE,
    {200: Answer("In the order in which they were added.", Page[PersonAnswer])},
    role=Role.ADMIN,
    query=PAGING,
)
READ = Operation("read_user", "Read a person", PEOPLE, {200: ONE}, role=Role.ADMIN)
CHANGE = Operation(
    "change_user",
    "Change a person",
    PEOPLE,
    {200: ONE},
    role=Role.ADMIN,
    text="All but the name ends every session and token of theirs. Nobody changes their own role, "
    "password or `disabled` here.",
    body=PersonChange,
    example={"role": "editor"},
    if_match=True,
    refusals=(
        Refusal(
            403,
            "Your role does not allow this",
            "Authorization",
            "nobody changes their own role or locks themselves out",
        ),
        Refusal(
            412,
            "The user has changed since you read it",
            "If-Match",
            "the user is at revision 2",
            more={"current_revision": 2},
        ),
    ),
)
END_SECOND_FACTOR = Operation(
    "end_users_second_factor",
    "Switch a person's second factor off",
    PEOPLE,
    {204: Answer("It is off. Again changes nothing.")},
    role=Role.ADMIN,
    text="As when the telephone is lost. One's own takes a proof: `DELETE /api/v1/me/totp`.",
)
SIGN_OUT = Operation(
    "sign_out_user",
    "Sign a person out everywhere",
    PEOPLE,
    {200: Answer("Their sessions have ended; tokens of programs live on.", EndedAnswer)},
    role=Role.ADMIN,
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
        described(web.post("/api/v1/users", refusing(add_person)), ADD),
        described(web.get("/api/v1/users", refusing(list_people)), LIST),
        described(web.get("/api/v1/users/{id}", refusing(show_person)), READ),
        described(web.patch("/api/v1/users/{id}", refusing(change_person)), CHANGE),
        described(
            web.delete("/api/v1/users/{id}/totp", refusing(end_second_factor)), END_SECOND_FACTOR
        ),
        described(web.post("/api/v1/users/{id}/sign-out", refusing(sign_out)), SIGN_OUT),
    ]
