"""Turns the refusals of the domain into problem documents, in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from services.publishing.api.shown import shown
from services.publishing.domain.errors import (
    BadCredentials,
    ChangedField,
    CodeRefused,
    Conflict,
    Invalid,
    NoSuch,
    NotAllowed,
    NotProven,
    PublishingError,
    Stale,
    Throttled,
    WrongStatus,
)
from services.publishing.domain.locks import Held
from shared.web.problems import Problem, not_found
from shared.web.requests import etag_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem_of(error: PublishingError) -> Problem:
    """The answer each refusal gets."""
    match error:
        case NoSuch():
            return not_found(error.what, error.field)
        case Stale():
            more = {} if error.changed is None else {"changed": _changed(error.changed)}
            return Problem(
                412,
                f"The {error.what} has changed since you read it",
                field="If-Match",
                detail=str(error),
                headers={"ETag": etag_of(error.current)},
                current_revision=error.current,
                **more,
            )
        case WrongStatus():
            return Problem(
                409, "Not possible now", field="status", detail=str(error), current=error.status
            )
        case Invalid():
            errors = [{"field": name, "message": text} for name, text in error.fields.items()]
            return Problem(422, "The input is not valid", detail=str(error), errors=errors)
        case Conflict():
            return Problem(
                409, "Not possible as things stand", field=error.field, detail=str(error)
            )
        case Held():
            return Problem(
                409, "Somebody else is editing", field="lock", detail=str(error), **_held(error)
            )
        case NotAllowed():
            return Problem(
                403, "Your role does not allow this", field="Authorization", detail=str(error)
            )
        case BadCredentials():
            return Problem(401, "The e-mail or the password is wrong", field="password")
        case CodeRefused():
            return Problem(401, "Sign-in needs a code", field="code", detail=str(error))
        case NotProven():
            # Not 401: the session stands, and a page must not take this for its end.
            return Problem(403, "Show again who you are", field=error.field, detail=str(error))
        case Throttled():
            return Problem(
                429,
                "Too many failed sign-ins",
                field="password",
                detail=str(error),
                headers={"Retry-After": str(error.after)},
            )
        case _:
            raise error


def _changed(fields: Sequence[ChangedField]) -> list[dict[str, Any]]:
    return [shown(asdict(field)) for field in fields]


def _held(error: Held) -> dict[str, Any]:
    lock, taken = error.lock, error.taken
    document: dict[str, Any] = {
        "held_by": lock.holder.person,
        "held_by_name": lock.holder.name,
        "since": lock.since,
        "expires_at": lock.expires_at,
    }
    if taken:
        document["taken_over"] = {"by": taken.by, "by_name": taken.by_name, "at": taken.at}
    return {name: shown(value) for name, value in document.items()}


def refusing(handler: Handler) -> Handler:
    """The handler, with refusals answered as problems."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except PublishingError as error:
            raise problem_of(error) from error

    return answered
