"""The reference page: everything in the document is on it, it runs nothing, and what is shown can be copied."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from html import unescape
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from services.publishing.api import reference
from services.publishing.api.reference_types import kind, limits
from services.publishing.api.reference_view import coloured, line, view
from shared.web.openapi import COMMITTED

DOCUMENT: dict[str, Any] = orjson.loads(COMMITTED.read_bytes())
ORIGIN = "https://news.example"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def page() -> Any:
    prepared, _ = reference._page(ORIGIN)
    return html.document_fromstring(prepared.body.decode())


def test_every_operation_and_every_model_has_its_place(page: Any) -> None:
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    operations = {
        operation["operationId"]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
    }
    models = {f"model-{name}" for name in DOCUMENT["components"]["schemas"]}
    assert operations | models <= set(ids)


def test_every_link_within_the_page_leads_somewhere(page: Any) -> None:
    ids = set(page.xpath("//@id"))
    links = [link for link in page.xpath("//a/@href") if link.startswith("#")]
    assert len(links) > 150
    assert {link[1:] for link in links} <= ids
    assert {link for link in page.xpath("//a/@href") if not link.startswith("#")} == {
        "/api/v1/openapi.json"
    }


def test_it_runs_nothing_and_fetches_nothing(page: Any) -> None:
    assert page.xpath("//script | //img | //iframe | //@style | //@src | //form") == []
    assert page.xpath("//link/@rel") == ["alternate"]
    assert not any(name.startswith("on") for one in page.iter() for name in one.attrib)


def test_its_policy_allows_its_own_style_and_nothing_else(page: Any) -> None:
    _, policy = reference._page(ORIGIN)
    (style,) = page.xpath("//style/text()")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert "@import" not in style
    assert "url(" not in style


def test_the_heading_order_has_no_gap(page: Any) -> None:
    levels = [int(one.tag[1]) for one in page.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_command_is_what_the_description_says() -> None:
    shown = view(DOCUMENT, ORIGIN)
    commands = {
        entry.id: shlex.split(entry.curl.replace("\\\n", ""))
        for one in shown.chapters
        for entry in one.entries
    }
    assert commands["list_channels"] == [
        "curl", f"{ORIGIN}/api/v1/channels", "-H", "Authorization: Bearer $TOKEN",
    ]  # fmt: skip
    correct = commands["correct_article"]
    assert correct[:4] == [
        "curl", "-X", "POST", f"{ORIGIN}/api/v1/articles/0199f0a2-6f3e-7c41-9d2b-5a8e4c1b7d60/correct",
    ]  # fmt: skip
    assert 'If-Match: "1"' in correct
    assert orjson.loads(correct[-1])["kind"] == "correction"
    assert commands["upload_picture"][-2:] == ["-F", "file=@picture.jpg"]
    assert commands["confirm"][3].startswith(f"{ORIGIN}/api/v1/subscriptions/confirm?t=")
    assert "%2F" in commands["read_delivery"][1]


@given(JSON)
def test_coloured_json_reads_as_the_json(value: Any) -> None:
    code = coloured(value)
    text = unescape(re.sub(r"</?span[^>]*>", "", code))
    expected = (
        value
        if isinstance(value, str)
        else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    )
    assert text == expected


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    assert "<script" not in line(f"<script>{text}")
    assert "<" not in re.sub(r"</?span[^>]*>", "", coloured({"a": text}))


@pytest.mark.parametrize(
    ("schema", "said", "limited"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 300}, "text", "1 to 300 characters"),
        ({"type": "integer", "minimum": 1}, "whole number", "at least 1"),
        ({"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 20},
         "list of text", "at most 20 items, each at most 9 characters"),
        ({"type": "string", "format": "date-time"}, "moment", ""),
        ({"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]},
         "text or null", "at most 9 characters"),
        ({"enum": ["a", "b"], "default": "a"}, "<code>a</code> | <code>b</code>", "by default a"),
        ({"$ref": "#/components/schemas/Thing"}, '<a href="#model-Thing">Thing</a>', ""),
        ({"type": "object", "additionalProperties": {"type": "integer"}},
         "object of whole number", ""),
        ({"type": "object", "additionalProperties": False}, "object", ""),
        ({"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]},
         "[number, number]", ""),
        ({"type": "boolean", "default": False}, "true or false", "by default false"),
        ({}, "anything", ""),
    ],
)  # fmt: skip
def test_a_schema_in_words(schema: dict[str, Any], said: str, limited: str) -> None:
    assert str(kind(schema)) == said
    assert limits(schema) == limited
