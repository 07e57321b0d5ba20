"""The edit lock over HTTP: a heartbeat that acquires and renews, and who holds it."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.locks import Lock, LockText, Session
from services.publishing.usecases.locking import Locks, acquire, held, release
from services.publishing.usecases.ports import Newsroom
from shared.contracts.identity import Role
from shared.web.identity import Identity, require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, path_id, query_values, read_json

SESSION: TypeAdapter[str] = TypeAdapter(Session)


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
        web.put(path, refusing(beat)),
        web.get(path, refusing(show)),
        web.delete(path, refusing(leave)),
    ]
