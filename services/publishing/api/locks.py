"""The edit lock over HTTP: a heartbeat that acquires and renews, and who holds it."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from services.publishing.api.desk_answers import LockAnswer
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.locks import Lock, LockText, Session
from services.publishing.usecases.locking import Locks, acquire, held, release
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Parameter, Refusal, Tag, described
from shared.web.identity import Identity, require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, path_id, query_values, read_json

SESSION: TypeAdapter[str] = TypeAdapter(Session)

TOGETHER = Tag("Working together", "Who is editing, and what they have typed but not saved.")
SESSION_TEXT = "One open page of one person, by a name the page chose for itself."
OF_PAGE = Parameter("session", SESSION_TEXT, SESSION.json_schema(), "tab-1", required=True)
HELD = Refusal(
    409,
    "Somebody else is editing",
    "lock",
    "Ben Okafor is editing since 2026-11-23T09:30:00+00:00",
    more={
        "held_by": "0199ef11-20c4-7b0d-8a3f-91d2c6e0b755",
        "held_by_name": "Ben Okafor",
        "since": "2026-11-23T09:30:00.000Z",
        "expires_at": "2026-11-23T09:31:00.000Z",
    },
)

BEAT = Operation(
    "hold_lock",
    "Say that one is editing",
    TOGETHER,
    {200: Answer("The lock is yours for a minute.", LockAnswer)},
    role=Role.CONTRIBUTOR,
    text="Send it every 20 seconds while the page is open. Advisory: what guards the text is `If-Match`.",
    body=LockText,
    example={"session": "tab-1"},
    refusals=(
        HELD,
        Refusal(
            409, "Not possible as things stand", "lock", "it changes hands all the time; try again"
        ),
        Refusal(
            403,
            "Your role does not allow this",
            "Authorization",
            "a contributor may edit only drafts of their own",
        ),
    ),
)
SHOW = Operation(
    "read_lock",
    "See who is editing",
    TOGETHER,
    {200: Answer("Who holds the lock, if anybody does.", LockAnswer)},
    role=Role.CONTRIBUTOR,
    query=(Parameter("session", f"{SESSION_TEXT} Only its lock is `yours` then.", OF_PAGE.schema),),
)
LEAVE = Operation(
    "release_lock",
    "Say that one is done editing",
    TOGETHER,
    {204: Answer("The lock is free, or was not this page's. Again changes nothing.")},
    role=Role.CONTRIBUTOR,
    query=(OF_PAGE,),
)


def session_from(values: dict[str, str], name: str = "session") -> str:
    """The page a query names. Raises `Problem`."""
    try:
        return SESSION.validate_python(values.get(name))
    except ValidationError as error:
        text = f"{name} must be 1 to 64 letters, digits and signs of _ . : -"
        raise Problem(422, "Not a session", field=name, detail=text) from error


def lock_json(lock: Lock, person: Identity, session: str | None) -> dict[str, Any]:
    own = lock.holder.person == person.subject
    return {
        "held": True,
        "held_by": lock.holder.person,
        "held_by_name": lock.holder.name,
        "session": lock.holder.session if own else None,
        "since": lock.since,
        "expires_at": lock.expires_at,
        "yours": own and session in {None, lock.holder.session},
    }


def routes(room: Newsroom, locks: Locks) -> list[web.AbstractRouteDef]:
    async def beat(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id, wanted = path_id(request), await read_json(request, LockText)
        lock = await acquire(room, locks, article_id, wanted, person)
        return json_response(shown(lock_json(lock, person, wanted.session)))

    async def show(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        values = query_values(request, {"session"})
        session = session_from(values) if values else None
        lock = await held(room, locks, path_id(request))
        if lock is None:
            return json_response({"held": False, "yours": False})
        return json_response(shown(lock_json(lock, person, session)))

    async def leave(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id = path_id(request)
        session = session_from(query_values(request, {"session"}))
        await release(room, locks, article_id, session, person)
        return web.Response(status=204)

    path = "/api/v1/articles/{id}/lock"
    return [
        described(web.put(path, refusing(beat)), BEAT),
        described(web.get(path, refusing(show)), SHOW),
        described(web.delete(path, refusing(leave)), LEAVE),
    ]
