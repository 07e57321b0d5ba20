"""Parameters, headers and bodies that are no JSON, as OpenAPI has them. Derives what a description leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.web.description import Operation, Parameter

EXAMPLE_ID = "0199f0a2-6f3e-7c41-9d2b-5a8e4c1b7d60"
HEADERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "ETag": ("Names this state; pass it on in If-Match or If-None-Match.", {"type": "string"}),
    "Location": ("Where to find it.", {"type": "string"}),
    "Last-Modified": ("When it last changed.", {"type": "string"}),
    "Retry-After": ("Seconds to wait.", {"type": "integer", "minimum": 0}),
    "WWW-Authenticate": ("How to sign in.", {"type": "string"}),
}
IF_MATCH = Parameter(
    "If-Match",
    "The ETag of the article as you read it, or `*`.",
    {"type": "string", "pattern": r'^(\*|(W/)?"?[0-9]{1,15}"?)$'},
    example='"1"',
    required=True,
)
IF_NONE_MATCH = Parameter("If-None-Match", "ETags you hold already.", example='"5d41402a"')


def parameters(operation: Operation, path_names: tuple[str, ...]) -> list[dict[str, Any]]:
    own = {parameter.name: parameter for parameter in operation.path}
    headers = [
        *([IF_MATCH] if operation.if_match else ()),
        *([IF_NONE_MATCH] if operation.conditional else ()),
        *operation.headers,
    ]
    return [
        *(_parameter(own.get(name) or _id(name), "path", required=True) for name in path_names),
        *(_parameter(one, "query", required=one.required) for one in operation.query),
        *(_parameter(one, "header", required=one.required) for one in headers),
    ]


def _id(name: str) -> Parameter:
    return Parameter(name, "A UUID.", {"type": "string", "format": "uuid"}, EXAMPLE_ID)


def _parameter(parameter: Parameter, place: str, *, required: bool) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": parameter.name,
        "in": place,
        "description": parameter.text,
        "schema": dict(parameter.schema),
    }
    if required:
        written["required"] = True
    if parameter.example is not None:
        written["example"] = parameter.example
    return written


def header(name: str) -> dict[str, Any]:
    text, schema = HEADERS[name]
    return {"description": text, "required": True, "schema": schema}


def plain(media: str) -> dict[str, Any]:
    """The schema of a body that is no JSON: text, or bytes of which there is nothing to say."""
    return {"schema": {"type": "string"}} if media.startswith("text/") else {}
