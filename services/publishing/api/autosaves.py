"""Autosaves over HTTP: keep, find again and drop what one has typed. Shows nobody another person's."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.desk_answers import AutosaveAnswer, AutosavesAnswer
from services.publishing.api.locks import OF_PAGE, TOGETHER, session_from
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.autosaves import Autosave, AutosaveText
from services.publishing.usecases.autosaving import Autosaves, drop, keep, typed
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Parameter, Refusal, described
from shared.web.identity import require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, path_id, query_values, read_json, whole_number

PAGE = {"autosave_session", "autosave_seq"}
PRIVATE = {"Cache-Control": "no-store"}
AUTOSAVED = (
    Parameter(
        "autosave_session", "The page whose autosave this edit makes needless.", OF_PAGE.schema
    ),
    Parameter(
        "autosave_seq",
        "Up to which number; needed with `autosave_session`.",
        {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
    ),
)

PUT = Operation(
    "keep_autosave",
    "Keep what somebody types",
    TOGETHER,
    {200: Answer("It is kept.", AutosaveAnswer)},
    role=Role.CONTRIBUTOR,
    text="Nobody else ever sees it. Values are taken as they are, half typed and wrong ones too.",
    body=AutosaveText,
    example={
        "session": "tab-1",
        "base_revision": 3,
        "seq": 17,
        "content": {"headline": "Harbour bridge reop"},
    },
    refusals=(
        Refusal(409, "Not possible as things stand", "seq", "number 18 is kept already"),
        Refusal(
            403,
            "Your role does not allow this",
            "Authorization",
            "a contributor may write only in articles of their own",
        ),
    ),
)
LIST = Operation(
    "list_autosaves",
    "Find again what one has typed",
    TOGETHER,
    {200: Answer("One for each page, newest first.", AutosavesAnswer)},
    role=Role.CONTRIBUTOR,
)
FORGET = Operation(
    "drop_autosave",
    "Drop what one has typed",
    TOGETHER,
    {204: Answer("It is gone. Again changes nothing.")},
    role=Role.CONTRIBUTOR,
    query=(OF_PAGE,),
)


def page_from(values: dict[str, str]) -> tuple[str, int] | None:
    """Which page's autosave an edit makes needless, and up to which number. Raises `Problem`."""
    if not PAGE & set(values):
        return None
    session = session_from(values, "autosave_session")
    if "autosave_seq" not in values:
        raise Problem(422, "autosave_seq is needed with autosave_session", field="autosave_seq")
    return session, whole_number(values["autosave_seq"], "autosave_seq")


def autosave_json(autosave: Autosave, current: int | None) -> dict[str, Any]:
    """Without its content."""
    return {
        "session": autosave.session,
        "seq": autosave.seq,
        "base_revision": autosave.base_revision,
        "saved_at": shown(autosave.saved_at),
        "stale": autosave.base_revision != current,
    }


def routes(room: Newsroom, autosaves: Autosaves) -> list[web.AbstractRouteDef]:
    async def put(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id, text = path_id(request), await read_json(request, AutosaveText)
        kept, current = await keep(room, autosaves, article_id, text, person)
        document = {**autosave_json(kept, current), "current_revision": current}
        return json_response(document, headers=PRIVATE)

    async def listing(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        found = await typed(room, autosaves, path_id(request), person)
        current = found.current_revision
        # Not `shown`: a null that somebody typed is part of what they typed.
        items = [{**autosave_json(one, current), "content": one.content} for one in found.autosaves]
        more = {} if current is None else {"current_revision": current}
        return json_response({"items": items, **more}, headers=PRIVATE)

    async def forget(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id = path_id(request)
        session = session_from(query_values(request, {"session"}))
        await drop(room, autosaves, article_id, session, person)
        return web.Response(status=204)

    path = "/api/v1/articles/{id}/autosave"
    return [
        described(web.put(path, refusing(put)), PUT),
        described(web.get(path, refusing(listing)), LIST),
        described(web.delete(path, refusing(forget)), FORGET),
    ]
