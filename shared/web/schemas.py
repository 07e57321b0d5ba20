"""JSON Schema of what routes take and answer, from the models themselves. Never says more than they hold to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

REF = "#/components/schemas/{model}"

LIMITS = {
    "minLength", "maxLength", "pattern", "minItems", "maxItems", "minProperties", "maxProperties",
    "propertyNames",
}  # fmt: skip
"""They bind who writes; what was accepted under older ones is still answered."""

_PAGE = re.compile(r"^Page\[(\w+)\]$")

Key = tuple[type[BaseModel], JsonSchemaMode]


class _Schemas(GenerateJsonSchema):
    """Answers leave out what is None by default and may gain fields; what is taken is exact."""

    def normalize_name(self, name: str) -> str:
        return super().normalize_name(_PAGE.sub(r"\1List", name))

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # it would only repeat the name

    def field_is_required(self, field: Any, total: bool) -> bool:
        if self.mode != "serialization":
            return super().field_is_required(field, total)
        inner = field["schema"]
        return inner["type"] != "default" or inner.get("default", inner) is not None

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        if self.mode != "serialization":
            return super().default_schema(schema)
        inner = self.generate_inner(schema["schema"])
        return _without_null(inner) if schema.get("default", schema) is None else inner

    def generate_inner(self, schema: Any) -> dict[str, Any]:
        described = super().generate_inner(schema)
        if self.mode == "serialization" and "prefixItems" not in described:
            return {name: value for name, value in described.items() if name not in LIMITS}
        return described

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        described = super().model_schema(schema)
        if self.mode == "serialization" and described.get("additionalProperties") is False:
            del described["additionalProperties"]
        return described


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The same without null: absent is how we say that there is nothing."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        return {**{key: value for key, value in schema.items() if key != "anyOf"}, **choices[0]}
    return {**schema, "anyOf": choices} if choices else schema


def schemas(keys: Iterable[Key]) -> tuple[dict[Key, dict[str, Any]], dict[str, Any]]:
    """A reference for each model and mode, and the definitions they lead to, sorted by name."""
    wanted = sorted(set(keys), key=lambda key: (key[0].__name__, key[0].__module__, key[1]))
    references: Any
    references, definitions = models_json_schema(
        wanted, ref_template=REF, schema_generator=_Schemas
    )
    return references, dict(sorted(definitions.get("$defs", {}).items()))
