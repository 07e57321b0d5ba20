"""The OpenAPI document as the reference page shows it: chapters, fields, examples, a command to try. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from services.publishing.api.reference_commands import curl
from services.publishing.api.reference_types import kind, limits

Json = dict[str, Any]

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<plain>-?\d[\d.eE+-]*|true|false|null)'
)


@dataclass(frozen=True)
class Field:
    """One row of a table: a parameter, or a property of a body."""

    name: str
    kind: Markup
    required: bool
    text: Markup
    limits: str
    place: str = ""


@dataclass(frozen=True)
class Example:
    """Something to copy, coloured."""

    title: str
    code: Markup


@dataclass(frozen=True)
class Outcome:
    """One status of one operation."""

    status: str
    text: Markup
    kind: Markup
    media: str
    headers: str
    examples: list[Example]

    @property
    def good(self) -> bool:
        return self.status < "400"


@dataclass(frozen=True)
class Entry:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    text: Markup
    role: str
    parameters: list[Field]
    body: Outcome | None
    fields: list[Field]
    curl: str
    answers: list[Outcome]
    refusals: list[Outcome]


@dataclass(frozen=True)
class Chapter:
    """The operations of one tag."""

    id: str
    name: str
    text: Markup
    entries: list[Entry]


@dataclass(frozen=True)
class Model:
    """One named schema."""

    name: str
    text: Markup
    kind: Markup
    fields: list[Field]


@dataclass(frozen=True)
class View:
    """The whole page."""

    text: Markup
    version: str
    chapters: list[Chapter]
    models: list[Model]


def view(document: Json, public_url: str) -> View:
    """Everything the template prints, in the document's own order."""
    reader = _Reader(document, public_url)
    return View(
        prose(document["info"]["description"]),
        document["info"]["version"],
        [reader.chapter(tag) for tag in document["tags"]],
        [reader.model(name) for name in document["components"]["schemas"]],
    )


def prose(text: str) -> Markup:
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - HTML in it is text to this renderer


def line(text: str) -> Markup:
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 - as above


def coloured(value: Any) -> Markup:
    """JSON, indented; a text as it is."""
    if isinstance(value, str):
        return escape(value)
    code, done = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), 0
    parts: list[Markup] = []
    for match in _TOKEN.finditer(code):
        parts.append(escape(code[done : match.start()]))
        parts.append(Markup('<span class="{}">{}</span>').format(match.lastgroup, match[0]))
        done = match.end()
    return Markup("").join([*parts, escape(code[done:])])


class _Reader:
    """Reads one document, following its references."""

    def __init__(self, document: Json, public_url: str) -> None:
        self._document = document
        self._public_url = public_url

    def chapter(self, tag: Json) -> Chapter:
        name = tag["name"]
        entries = [
            self._entry(method, path, operation)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            if name in operation["tags"]
        ]
        id = "chapter-" + re.sub(r"\W+", "-", name.lower())
        return Chapter(id, name, line(tag["description"]), entries)

    def model(self, name: str) -> Model:
        schema = self._document["components"]["schemas"][name]
        return Model(
            name, line(schema.get("description", "")), kind(schema), list(self._fields(schema))
        )

    def _entry(self, method: str, path: str, operation: Json) -> Entry:
        outcomes = [
            self._outcome(status, self._resolved(answer))
            for status, answer in operation["responses"].items()
        ]
        body, fields = operation.get("requestBody"), list[Field]()
        if body:
            fields = list(
                self._fields(self._resolved(next(iter(body["content"].values()))["schema"]))
            )
        return Entry(
            operation["operationId"],
            method.upper(),
            path,
            operation["summary"],
            prose(operation["description"]),
            operation.get("x-herald-role", ""),
            [
                Field(
                    one["name"],
                    kind(one["schema"]),
                    one.get("required", False),
                    line(one["description"]),
                    limits(one["schema"]),
                    one["in"],
                )
                for one in operation.get("parameters", ())
            ],
            self._outcome("", body | {"description": ""}) if body else None,
            fields,
            curl(self._public_url, method, path, operation),
            [one for one in outcomes if one.good],
            [one for one in outcomes if not one.good],
        )

    def _outcome(self, status: str, answer: Json) -> Outcome:
        content = answer.get("content", {})
        first: Json = next(iter(content.values()), {})
        examples = [
            Example(title, coloured(one["value"]))
            for title, one in first.get("examples", {}).items()
        ]
        if "example" in first:
            examples.append(Example("", coloured(first["example"])))
        return Outcome(
            status,
            line(answer["description"]),
            kind(first["schema"]) if "$ref" in first.get("schema", ()) else Markup(""),
            ", ".join(content),
            ", ".join(answer.get("headers", ())),
            examples,
        )

    def _fields(self, schema: Json) -> Iterator[Field]:
        required = schema.get("required", ())
        for name, one in schema.get("properties", {}).items():
            yield Field(
                name, kind(one), name in required, line(one.get("description", "")), limits(one)
            )

    def _resolved(self, value: Json) -> Json:
        found: Any = value
        while "$ref" in found:
            place: Any = self._document
            for step in found["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            found = place
        return dict(found)
