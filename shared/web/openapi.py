"""The OpenAPI 3.1 document of described routes. Never describes what is not served, nor omits what is.

Sources: OpenAPI 3.1.1; RFC 9457 (problem documents); RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from shared.contracts.identity import Scope
from shared.web.description import (
    JSON,
    Answer,
    DescribedRoute,
    Operation,
    Refusal,
    Shown,
)
from shared.web.parameters import header, parameters, plain
from shared.web.refusals import (
    DATABASE_AWAY,
    NO_PRECONDITION,
    STALE,
    TOO_LARGE,
    TOO_SLOW,
    UNAUTHORIZED,
    problem,
    refusals,
)
from shared.web.schemas import Key, schemas
from shared.web.scopes import Reach, needed

COMMITTED = Path(__file__).with_name("openapi.json")
"""Every service's routes as one document; `services.standalone.openapi` writes it."""
PROBLEM = "application/problem+json"
SHARED = {
    "Unauthorized": UNAUTHORIZED,
    "TooSlow": TOO_SLOW,
    "TooLarge": TOO_LARGE,
    "Stale": STALE,
    "NoPrecondition": NO_PRECONDITION,
    "DatabaseAway": DATABASE_AWAY,
}
"""Refusals that many routes have word for word, by their name in `components`."""
INTRODUCTION = """\
Publish once, seen everywhere, corrected and taken back everywhere.

Every refusal is a problem document (RFC 9457) that names the wrong `field`; `errors` lists all of them.
A method that a path does not know is answered 405 with `Allow`, and `HEAD` is answered wherever `GET` is.
Instants are RFC 3339 in UTC. Bodies may have 1 MB, uploads 20 MB; unknown fields and query parameters of
the API are refused.
What has nothing to say is left out of an answer, and answers may gain fields: ignore those you do not know."""

_NAME = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")


class FieldError(Shown):
    """One wrong input."""

    field: str
    message: str


class Problem(Shown):
    """A refusal (RFC 9457). Some carry more members, as the examples show."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    """The first wrong input: a path into the body with dots, a parameter or a header."""
    errors: list[FieldError] | None = None


def document(routes: Iterable[web.AbstractRouteDef]) -> dict[str, Any]:
    """The whole document. Raises ValueError for a route without description and for names used twice."""
    found = [_described(route) for route in routes]
    keys = [key for route in found for key in _models(route.operation)]
    references, definitions = schemas([*keys, (Problem, "serialization")])
    writer = _Writer(references)
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    tags: dict[str, str] = {}
    for route in found:
        operation, methods = route.operation, paths.setdefault(_NAME.sub(r"{\1}", route.path), {})
        if operation.id in names or route.method.lower() in methods:
            raise ValueError(f"{route.method} {route.path} ({operation.id}) is described twice")
        names.add(operation.id)
        tags.setdefault(operation.tag.name, operation.tag.text)
        methods[route.method.lower()] = writer.operation(route)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Herald",
            "version": "1.0.0",
            "description": INTRODUCTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A session's token or an API token; it carries the role.",
                }
            },
            "responses": {name: writer.refused([one]) for name, one in SHARED.items()},
            "schemas": definitions,
        },
    }


def _described(route: web.AbstractRouteDef) -> DescribedRoute:
    if not isinstance(route, DescribedRoute):
        raise ValueError(f"{route!r} has no description")
    return route


def _names(path: str) -> tuple[str, ...]:
    return tuple(match[1] for match in _NAME.finditer(path))


def _models(operation: Operation) -> Iterable[Key]:
    if operation.body:
        yield operation.body, "validation"
    for answer in operation.answers.values():
        if answer.model:
            yield answer.model, "serialization"


class _Writer:
    """Writes operations; `references` leads from each model to its schema."""

    def __init__(self, references: Mapping[Key, dict[str, Any]]) -> None:
        self._references = references

    def operation(self, route: DescribedRoute) -> dict[str, Any]:
        operation, path_names = route.operation, _names(route.path)
        role = operation.role.name.lower() if operation.role else None
        needs = f"Needs the role {role}." if role else "Open to everybody."
        scope = needed(route.method, _NAME.sub(r"{\1}", route.path)) if role else None
        if isinstance(scope, Scope):
            needs += f" A limited token needs the scope `{scope}`."
        elif scope is Reach.FULL:
            needs += " Limited tokens are refused."
        written: dict[str, Any] = {
            "operationId": operation.id,
            "summary": operation.summary,
            "description": f"{operation.text}\n\n{needs}".strip(),
            "tags": [operation.tag.name],
            "security": [{"bearer": []}] if role else [],
        }
        if role:
            written["x-herald-role"] = role
        if isinstance(scope, Scope):
            written["x-herald-scope"] = scope.value
        if taken := parameters(operation, path_names):
            written["parameters"] = taken
        if operation.body:
            written["requestBody"] = self._body(operation, operation.body)
        answers = {str(status): self._answer(one) for status, one in operation.answers.items()}
        if operation.conditional:
            answers["304"] = self._answer(Answer("Not changed.", headers=("ETag",)))
        refused = refusals(operation, route.method, path_names)
        for status, group in groupby(refused, key=lambda refusal: refusal.status):
            answers.setdefault(str(status), self._refused_or_shared(list(group)))
        written["responses"] = dict(sorted(answers.items()))
        return written

    def _body(self, operation: Operation, model: type[BaseModel]) -> dict[str, Any]:
        content: dict[str, Any] = {"schema": self._references[model, "validation"]}
        if operation.example is not None:
            content["example"] = operation.example
        return {
            "required": not operation.body_optional,
            "content": {operation.body_media: content},
        }

    def _answer(self, answer: Answer) -> dict[str, Any]:
        written: dict[str, Any] = {"description": answer.text}
        if answer.headers:
            written["headers"] = {name: header(name) for name in answer.headers}
        if answer.model:
            example = answer.example
            if example is None and issubclass(answer.model, Shown):
                example = answer.model.example()
            content = {"schema": self._references[answer.model, "serialization"]}
            written["content"] = {
                media: {**content, "example": example} for media in answer.media or (JSON,)
            }
        elif answer.media:
            written["content"] = {media: plain(media) for media in answer.media}
            if answer.example is not None:
                written["content"][answer.media[0]]["example"] = answer.example
        return written

    def _refused_or_shared(self, group: list[Refusal]) -> dict[str, Any]:
        for name, shared in SHARED.items():
            if group == [shared]:
                return {"$ref": f"#/components/responses/{name}"}
        return self.refused(group)

    def refused(self, group: list[Refusal]) -> dict[str, Any]:
        """One status; each way to come by it is an example."""
        titles = dict.fromkeys(one.title for one in group)
        written: dict[str, Any] = {"description": "; or: ".join(titles) + "."}
        if headers := dict.fromkeys(name for one in group for name in one.headers):
            written["headers"] = {name: header(name) for name in headers}
        written["content"] = {
            PROBLEM: {
                "schema": self._references[Problem, "serialization"],
                "examples": {
                    f"{one.title} ({one.field})" if one.field else one.title: {
                        "value": problem(one)
                    }
                    for one in group
                },
            },
            **{media: plain(media) for one in group for media in one.media},
        }
        return written
