"""The committed OpenAPI document is what the routes say today, and everything in it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import orjson
import pytest

from services.standalone import openapi
from shared.web.openapi import COMMITTED

DOCUMENT: dict[str, Any] = orjson.loads(COMMITTED.read_bytes())


OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def _obeys(value: object, schema: dict[str, Any]) -> None:
    jsonschema.validate(
        value,
        {**schema, "components": DOCUMENT["components"]},
        cls=jsonschema.Draft202012Validator,
    )


def _answers(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        yield status, answer


async def test_the_committed_document_is_up_to_date() -> None:
    assert COMMITTED.read_bytes() == await openapi.rendered(), "run make openapi"


def test_every_reference_leads_somewhere() -> None:
    def references(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    found = list(references(DOCUMENT))
    assert len(found) > 200
    for reference in found:
        place = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_an_operation_is_told_whole(name: str, operation: dict[str, Any]) -> None:
    path = name.partition(" ")[2]
    named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
    assert named == {part.partition("}")[0] for part in path.split("{")[1:]}
    assert any(status < "400" for status in operation["responses"])
    if operation["security"]:
        assert {"401", "403"} <= set(operation["responses"])
        assert operation["x-herald-role"] in operation["description"]
    if path.startswith("/api/v1/") and operation["security"]:
        assert "503" in operation["responses"]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_every_example_obeys_its_schema(name: str, operation: dict[str, Any]) -> None:
    bodies = operation.get("requestBody", {"content": {}})["content"]
    for media, content in bodies.items():
        if media != "multipart/form-data":
            _obeys(content["example"], content["schema"])
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            _obeys(parameter["example"], parameter["schema"])
    for status, answer in _answers(operation):
        assert answer["description"]
        for content in answer.get("content", {}).values():
            if "$ref" not in content.get("schema", ()):
                continue
            examples = [one["value"] for one in content.get("examples", {}).values()]
            for example in examples or [content["example"]]:
                _obeys(example, content["schema"])
                assert example, (name, status)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_every_refusal_is_a_problem_with_its_status(name: str, operation: dict[str, Any]) -> None:
    for status, answer in _answers(operation):
        if status < "400" or (name, status) in {
            ("GET /readyz", "503"),
            ("GET /articles/{slug}", "410"),
        }:
            continue
        content = answer["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        for example in content["examples"].values():
            assert example["value"]["status"] == int(status)
