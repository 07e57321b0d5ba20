"""Signing in and out over HTTP, and the list of where somebody is signed in."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.answers import caller_of, listed, once, page_of, refuse_at_once
from services.publishing.api.people_answers import EndedAnswer, SessionAnswer, SessionLine
from services.publishing.api.people_texts import ONLY_ADMIN, SIGNING_IN, THROTTLED
from services.publishing.api.refusals import refusing
from services.publishing.domain.people import EndSessions, SignIn
from services.publishing.usecases import sessions as acts
from services.publishing.usecases.front_desk import FrontDesk, Token
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.web.description import PAGING, Answer, Operation, Page, Parameter, Refusal, described
from shared.web.identity import Identity, require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, path_id, query_values, read_json

SIGN_IN = Operation(
    "sign_in",
    "Sign in",
    SIGNING_IN,
    {201: Answer("A session.", SessionAnswer)},
    body=SignIn,
    example={"email": "ada@news.example", "password": "correct horse battery", "code": "492 039"},
    text="`code` is needed by those who have a second factor; only the right password asks for it.",
    refusals=(
        Refusal(401, "The e-mail or the password is wrong", "password"),
        Refusal(401, "Sign-in needs a code", "code", "enter the code from your authenticator app"),
        THROTTLED,
    ),
)
LIST = Operation(
    "list_sessions",
    "List where one is signed in, newest first",
    SIGNING_IN,
    {200: Answer("Live sessions.", Page[SessionLine])},
    role=Role.CONTRIBUTOR,
    query=(
        Parameter(
            "person",
            "As admin: those of this person.",
            {"type": "string", "format": "uuid"},
        ),
        *PAGING,
    ),
    refusals=(ONLY_ADMIN,),
)
SIGN_OUT = Operation(
    "sign_out",
    "Sign out",
    SIGNING_IN,
    {204: Answer("The token is dead, everywhere.")},
    role=Role.CONTRIBUTOR,
    text="Ends the very token it is called with.",
    refusals=(Refusal(404, "There is no such token", "id"),),
)
END_ONE = Operation(
    "end_session",
    "End a session",
    SIGNING_IN,
    {204: Answer("It is dead, everywhere.")},
    role=Role.CONTRIBUTOR,
    text="One of your own, or as admin anybody's. Again changes nothing.",
)
END_ALL = Operation(
    "end_all_sessions",
    "Sign out everywhere",
    SIGNING_IN,
    {200: Answer("All your sessions have ended; tokens of programs live on.", EndedAnswer)},
    role=Role.CONTRIBUTOR,
    body=EndSessions,
    example={"keep_current": True},
)


def session_json(session: Token, asking: Identity) -> dict[str, Any]:
    return {
        "id": session.id,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "address": session.address,
        "user_agent": session.agent,
        "current": session.id == asking.token_id,
    }


def routes(desk: FrontDesk, trusted_proxies: int) -> list[web.AbstractRouteDef]:
    async def sign_in(request: web.Request) -> web.Response:
        credentials = await read_json(request, SignIn)
        caller = caller_of(request, trusted_proxies)
        token, issued = await acts.sign_in(desk, credentials, caller)
        return once({"token": token, "expires_at": issued.expires_at})

    async def list_sessions(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        values = query_values(request, {"person", "limit", "cursor"})
        limit, cursor = page_of(values)
        of = values.get("person")
        if of is not None and not is_id(of):
            raise Problem(422, "person is not an id of ours", field="person")
        found = await acts.list_sessions(desk, of, person, cursor, limit + 1)
        return listed([session_json(one, person) for one in found], limit)

    async def sign_out(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await refuse_at_once(request, [await acts.sign_out(desk, person)])
        return web.Response(status=204)

    async def end_one(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await refuse_at_once(request, [await acts.end_session(desk, path_id(request), person)])
        return web.Response(status=204)

    async def end_every(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        wanted = await read_json(request, EndSessions)
        keep = person.token_id if wanted.keep_current else ""
        ended = await acts.end_sessions(desk, person.subject, person, keep=keep)
        await refuse_at_once(request, ended)
        return json_response({"ended": len(ended)})

    return [
        described(web.post("/api/v1/sessions", refusing(sign_in)), SIGN_IN),
        described(web.get("/api/v1/sessions", refusing(list_sessions)), LIST),
        described(web.delete("/api/v1/sessions", refusing(sign_out)), SIGN_OUT),
        described(web.delete("/api/v1/sessions/{id}", refusing(end_one)), END_ONE),
        described(web.post("/api/v1/sessions/end-all", refusing(end_every)), END_ALL),
    ]
