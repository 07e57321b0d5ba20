"""What a JSON Schema says of a value, in words for people. Pure; understands what our models can say."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

Json = dict[str, Any]

WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
    "null": "null",
}
FORMATS = {"uuid": "UUID", "date-time": "moment", "binary": "file"}
LIMITS = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "entries"),
    ("minimum", "maximum", ""),
)


def kind(schema: Json) -> Markup:
    """`list of Rendition`, `text or null`; names of models are links to them."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#model-{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(dict.fromkeys(kind(one) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Markup(" | ").join(Markup("<code>{}</code>").format(one) for one in values)
    if "prefixItems" in schema:
        return Markup("[{}]").format(Markup(", ").join(kind(one) for one in schema["prefixItems"]))
    if "items" in schema:
        return Markup("list of {}").format(kind(schema["items"]))
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    if isinstance(values[0], dict):
        return Markup("object of {}").format(kind(values[0]))
    if schema.get("format") in FORMATS:
        return escape(FORMATS[schema["format"]])
    return escape(WORDS.get(schema.get("type", ""), "anything"))


def limits(schema: Json) -> str:
    """`1 to 300 characters, by default 20`; nothing where there is no limit."""
    said = []
    for least, most, unit in LIMITS:
        low, high = schema.get(least), schema.get(most)
        if low is None and high is None:
            continue
        numbers = f"{low:,} to {high:,}" if low is not None and high is not None else ""
        numbers = numbers or (f"at least {low:,}" if high is None else f"at most {high:,}")
        said.append(f"{numbers} {unit}".strip())
    for one in schema.get("anyOf", ()):
        if found := limits(one):
            said.append(found)
    if "items" in schema and (found := limits(schema["items"])):
        said.append(f"each {found}")
    if "pattern" in schema:
        said.append(f"like {schema['pattern']}")
    default = schema.get("default")
    if isinstance(default, bool):
        said.append(f"by default {str(default).lower()}")
    elif isinstance(default, str | int) and default != "":
        said.append(f"by default {default}")
    return ", ".join(said)
