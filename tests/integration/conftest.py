"""Every answer that any integration test gets is held against the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import orjson
import pytest
from aiohttp import web

from shared.web import app
from shared.web.openapi import COMMITTED


def _exact(schema: Any) -> Any:
    """Answers may gain fields for their readers, but not without being described."""
    if isinstance(schema, dict):
        closed = {name: _exact(inner) for name, inner in schema.items()}
        if isinstance(schema.get("properties"), dict) and schema.get("title") != "Problem":
            closed.setdefault("additionalProperties", False)
        return closed
    return [_exact(one) for one in schema] if isinstance(schema, list) else schema


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(COMMITTED.read_bytes())
    document["components"]["schemas"] = _exact(document["components"]["schemas"])
    return document


@cache
def _validator(reference: str) -> jsonschema.Draft202012Validator:
    components = {"components": _document()["components"]}
    return jsonschema.Draft202012Validator({"$ref": reference, **components})


def undescribed(request: web.Request, response: web.StreamResponse) -> str | None:
    """What of this answer is not in the document; None for routes that are the test's own."""
    resource = request.match_info.route.resource
    methods = _document()["paths"].get(resource.canonical if resource else "", {})
    method = "get" if request.method == "HEAD" else request.method.lower()
    if method not in methods:
        return None
    where = f"{request.method} {request.path}: {response.status}"
    answer = methods[method]["responses"].get(str(response.status))
    if answer is None:
        return f"{where} is not described"
    if "$ref" in answer:
        answer = _document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    missing = [name for name in answer.get("headers", ()) if name not in response.headers]
    if missing:
        return f"{where} lacks {missing}"
    content = answer.get("content", {})
    if response.status in {204, 304, 301}:
        return f"{where} should have no body" if content else None
    if response.content_type not in content:
        return f"{where} is {response.content_type}, not {sorted(content)}"
    reference = content[response.content_type].get("schema", {}).get("$ref")
    if reference is None or not isinstance(response, web.Response):
        return None
    body = orjson.loads(response.body)  # type: ignore[arg-type]
    for error in _validator(reference).iter_errors(body):
        return f"{where} {error.json_path}: {error.message[:500]}"
    return None


@pytest.fixture(autouse=True)
def described_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Looks at every answer of every application made in the test, just before it leaves."""
    found: list[str] = []
    secured = app.secured

    async def looked_at(request: web.Request, response: web.StreamResponse) -> None:
        if problem := undescribed(request, response):
            found.append(problem)
        await secured(request, response)

    monkeypatch.setattr(app, "secured", looked_at)
    yield found
    assert found == []
