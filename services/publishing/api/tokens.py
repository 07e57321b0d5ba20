"""Tokens for programs over HTTP. A token is shown once, when it is made."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.answers import listed, once, page_of, refuse_at_once
from services.publishing.api.people_answers import NewTokenAnswer, TokenAnswer
from services.publishing.api.people_texts import SIGNING_IN
from services.publishing.api.refusals import refusing
from services.publishing.domain.people import NewToken
from services.publishing.usecases import tokens as acts
from services.publishing.usecases.front_desk import FrontDesk, Token
from shared.contracts.identity import Role
from shared.web.description import PAGING, Answer, Operation, Page, Refusal, described
from shared.web.identity import require_role
from shared.web.requests import path_id, query_values, read_json

CREATE = Operation(
    "create_token",
    "Make a token for a program",
    SIGNING_IN,
    {201: Answer("The token, shown this once.", NewTokenAnswer)},
    role=Role.CONTRIBUTOR,
    body=NewToken,
    example={"name": "wire import", "days": 90, "scopes": ["imports"]},
    refusals=(
        Refusal(422, "The input is not valid", "role", "yours is editor; a token cannot have more"),
    ),
)
LIST = Operation(
    "list_tokens",
    "List your programs' tokens",
    SIGNING_IN,
    {200: Answer("Newest first.", Page[TokenAnswer])},
    role=Role.CONTRIBUTOR,
    query=PAGING,
)
REVOKE = Operation(
    "revoke_token",
    "Revoke a token",
    SIGNING_IN,
    {204: Answer("It is dead, everywhere.")},
    role=Role.CONTRIBUTOR,
    text="One of your own, or as admin anybody's. Again changes nothing.",
)


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
        described(web.post("/api/v1/tokens", refusing(create_token)), CREATE),
        described(web.get("/api/v1/tokens", refusing(list_tokens)), LIST),
        described(web.delete("/api/v1/tokens/{id}", refusing(revoke_token)), REVOKE),
    ]
