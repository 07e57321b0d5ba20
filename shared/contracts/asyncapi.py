"""The published language as an AsyncAPI 3.0 document, generated from the models. Never edited by hand.

`python -m shared.contracts.asyncapi` prints it; with `--write` it replaces the committed `asyncapi.json`.
Source: AsyncAPI 3.0.0; AMQP 0-9-1 binding 0.3.0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from shared.contracts.articles import ArticleEvent
from shared.contracts.events import EVENT_TYPES, Event
from shared.contracts.outlets import OutletReported

COMMITTED = Path(__file__).with_name("asyncapi.json")
EXCHANGE = "herald.events"
BREAKING_SUFFIX = ".breaking"
FIGURES_SUFFIX = ".figures"


def document() -> dict[str, Any]:
    """Every event type as one channel, one message and one operation; schemas are shared."""
    schemas: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for type_name, model in sorted(EVENT_TYPES.items()):
        schema = Event[model].model_json_schema(  # type: ignore[valid-type]
            ref_template="#/components/schemas/{model}"
        )
        schemas.update(schema.pop("$defs"))
        schema["title"] = f"{model.__name__}Event"
        schema["properties"]["type"] = {"const": type_name, "type": "string"}
        schemas[schema["title"]] = schema
        messages[type_name] = {
            "name": type_name,
            "contentType": "application/cloudevents+json",
            "summary": (model.__doc__ or "").strip().splitlines()[0],
            "payload": {"$ref": f"#/components/schemas/{schema['title']}"},
        }
        for key in routing_keys(type_name):
            channels[key] = {
                "address": key,
                "messages": {type_name: {"$ref": f"#/components/messages/{type_name}"}},
                "bindings": {"amqp": _amqp()},
            }
            operations[f"send {key}"] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{key}"},
                "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True}},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Herald",
            "version": "1.0.0",
            "description": "Every event of the newsroom's fan-out. Readers ignore unknown fields.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": _open(dict(sorted(schemas.items())))},
    }


def routing_keys(type_name: str) -> tuple[str, ...]:
    """The topics one type travels by: breaking news and figures have keys of their own."""
    if issubclass(EVENT_TYPES[type_name], ArticleEvent):
        return type_name, type_name + BREAKING_SUFFIX
    if issubclass(EVENT_TYPES[type_name], OutletReported):
        return type_name, type_name + FIGURES_SUFFIX
    return (type_name,)


def _open(schema: Any) -> Any:
    """Without the writers' ban on unknown fields: a reader that enforced it would break on additions."""
    if isinstance(schema, dict):
        return {
            key: _open(value)
            for key, value in schema.items()
            if not (key == "additionalProperties" and value is False)
        }
    return [_open(item) for item in schema] if isinstance(schema, list) else schema


def _amqp() -> dict[str, Any]:
    exchange = {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False}
    return {"is": "routingKey", "exchange": exchange}


def rendered() -> bytes:
    """The bytes of the committed file."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        COMMITTED.write_bytes(rendered())
    else:
        sys.stdout.buffer.write(rendered())
