"""Tokens for programs over HTTP. A token is shown once, when it is made."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.answers import listed, once, page_of, refuse_at_once
from services.publishing.api.refusals import refusing
from services.publishing.domain.people import NewToken
from services.publishing.usecases import tokens as acts
from services.publishing.usecases.front_desk import FrontDesk, Token
from shared.contracts.identity import Role
from shared.web.identity import require_role
from shared.web.requests import path_id, query_values, read_json


def token_json(token: Token) -> dict[str, Any]:
    """`scopes` is left out where the token reaches everything its role allows."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.name.lower(),
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }


def routes(desk: FrontDesk) -> list[web.AbstractRouteDef]:
    async def create_token(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        new = await read_json(request, NewToken)
        token, issued = await acts.create_token(desk, new, person)
        return once({**token_json(issued), "token": token})

    async def list_tokens(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        limit, cursor = page_of(query_values(request, {"limit", "cursor"}))
        found = await desk.tokens.page(person.subject, cursor, limit + 1)
        return listed([token_json(one) for one in found], limit)

    async def revoke_token(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await refuse_at_once(request, [await acts.revoke_token(desk, path_id(request), person)])
        return web.Response(status=204)

    return [
        web.post("/api/v1/tokens", refusing(create_token)),
        web.get("/api/v1/tokens", refusing(list_tokens)),
        web.delete("/api/v1/tokens/{id}", refusing(revoke_token)),
    ]
