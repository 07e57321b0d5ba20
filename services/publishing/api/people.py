"""Sign-in, people and tokens over HTTP. A token is shown once, when it is made."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.people import NewPerson, NewToken, PersonChange, SignIn
from services.publishing.usecases import people as acts
from services.publishing.usecases.people import FrontDesk, Person, Token
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.web.identity import IDENTITIES, require_role
from shared.web.problems import Problem
from shared.web.requests import (
    client_address,
    json_response,
    paging,
    path_id,
    query_values,
    read_json,
)


def person_json(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "role": person.role.name.lower(),
        "disabled": person.disabled,
        "created_at": person.created_at,
    }


def token_json(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.name.lower(),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }


def routes(desk: FrontDesk, trusted_proxies: int) -> list[web.AbstractRouteDef]:
    async def end(request: web.Request, ended: Token) -> None:
        """Refuse the token here at once; its event does the same everywhere else."""
        await request.app[IDENTITIES].revoke(ended.id, ended.expires_at)

    async def sign_in(request: web.Request) -> web.Response:
        credentials = await read_json(request, SignIn)
        address = client_address(request, trusted_proxies)
        token, issued = await acts.sign_in(desk, credentials, address)
        return _secret({"token": token, "expires_at": issued.expires_at})

    async def sign_out(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await end(request, await acts.revoke_token(desk, person.token_id, person))
        return web.Response(status=204)

    async def me(request: web.Request) -> web.Response:
        identity = await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        person = await desk.people.get(identity.subject)
        about = {"id": identity.subject, "name": identity.name, "email": None}
        if person:
            about = {"id": person.id, "name": person.name, "email": person.email}
        # The role of the token, which may be less than the person's own.
        return json_response(shown({**about, "role": identity.role.name.lower()}))

    async def add_person(request: web.Request) -> web.Response:
        admin = await require_role(request, Role.ADMIN)
        person = await acts.add_person(desk, await read_json(request, NewPerson), admin)
        return json_response(shown(person_json(person)), status=201)

    async def change_person(request: web.Request) -> web.Response:
        admin = await require_role(request, Role.ADMIN)
        person_id, change = path_id(request), await read_json(request, PersonChange)
        person, ended = await acts.change_person(desk, person_id, change, admin)
        for token in ended:
            await end(request, token)
        return json_response(shown(person_json(person)))

    async def list_people(request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        limit, cursor = _page(request)
        found = await desk.people.page(cursor, limit + 1)
        return _list([person_json(one) for one in found], limit)

    async def create_token(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        new = await read_json(request, NewToken)
        token, issued = await acts.create_token(desk, new, person)
        return _secret({**token_json(issued), "token": token})

    async def list_tokens(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        limit, cursor = _page(request)
        found = await desk.tokens.page(person.subject, cursor, limit + 1)
        return _list([token_json(one) for one in found], limit)

    async def revoke_token(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await end(request, await acts.revoke_token(desk, path_id(request), person))
        return web.Response(status=204)

    return [
        web.post("/api/v1/sessions", refusing(sign_in)),
        web.delete("/api/v1/sessions", refusing(sign_out)),
        web.get("/api/v1/me", refusing(me)),
        web.post("/api/v1/users", refusing(add_person)),
        web.get("/api/v1/users", refusing(list_people)),
        web.patch("/api/v1/users/{id}", refusing(change_person)),
        web.post("/api/v1/tokens", refusing(create_token)),
        web.get("/api/v1/tokens", refusing(list_tokens)),
        web.delete("/api/v1/tokens/{id}", refusing(revoke_token)),
    ]


def _secret(document: dict[str, Any]) -> web.Response:
    return json_response(shown(document), status=201, headers={"Cache-Control": "no-store"})


def _page(request: web.Request) -> tuple[int, str | None]:
    limit, cursor = paging(query_values(request, {"limit", "cursor"}))
    if cursor is not None and not is_id(cursor):
        raise Problem(422, "cursor is not one of ours", field="cursor")
    return limit, cursor


def _list(items: list[dict[str, Any]], limit: int) -> web.Response:
    page = items[:limit]
    following = page[-1]["id"] if len(items) > limit else None
    return json_response({"items": shown(page), "next": following})
