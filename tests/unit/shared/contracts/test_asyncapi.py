"""The committed AsyncAPI document is what the models say today, and the examples obey it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import orjson
import pytest

from shared.contracts import asyncapi
from shared.contracts.events import EVENT_TYPES, read_event

EXAMPLES = sorted((Path(asyncapi.__file__).parent / "examples").glob("*.json"))


def test_the_committed_document_is_up_to_date() -> None:
    assert asyncapi.COMMITTED.read_bytes() == asyncapi.rendered()


def test_every_type_travels_by_a_channel_and_every_reference_leads_somewhere() -> None:
    document = asyncapi.document()
    keys = {key.removesuffix(".breaking").removesuffix(".figures") for key in document["channels"]}
    assert keys == set(EVENT_TYPES)

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in references(inner)]
        return []

    found = references(document)
    assert len(found) > 20
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_obeys_its_message_and_its_routing_key_is_declared(path: Path) -> None:
    document = asyncapi.document()
    example = orjson.loads(path.read_bytes())
    payload = document["components"]["messages"][example["type"]]["payload"]
    schema = {**payload, "components": document["components"]}
    jsonschema.validate(example, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "time": 5}, schema)
    jsonschema.validate({**example, "of_tomorrow": 5}, schema)
    assert read_event(path.read_bytes()).routing_key in document["channels"]
