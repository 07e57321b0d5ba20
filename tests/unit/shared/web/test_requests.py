"""Reading requests: what is wrong is refused with the field's name, and never with a 5xx."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, field_validator

from shared.web.problems import Problem, invalid, problems
from shared.web.requests import (
    MAX_DEPTH,
    etag_of,
    json_response,
    paging,
    path_id,
    query_values,
    read_json,
    require_match,
)


class Byline(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value:
            raise ValueError("say who")
        return value


class Draft(BaseModel):
    model_config = ConfigDict(extra="forbid")

    headline: str
    bylines: list[Byline] = []
    free: Any = None


class Body:
    """A request body that is already here."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._exception = None

    async def readany(self) -> bytes:
        content, self._content = self._content, b""
        return content

    def set_read_chunk_size(self, size: int) -> None: ...


def request(body: bytes, content_type: str = "application/json") -> web.Request:
    payload: StreamReader = Body(body)  # type: ignore[assignment]
    return make_mocked_request("POST", "/", headers={"Content-Type": content_type}, payload=payload)


async def refusal(body: bytes, content_type: str = "application/json") -> Problem:
    with pytest.raises(Problem) as caught:
        await read_json(request(body, content_type), Draft)
    return caught.value


async def test_a_good_body_becomes_the_model() -> None:
    body = b'{"headline": "H", "bylines": [{"name": "Ana"}], "free": [9223372036854775807]}'
    draft = await read_json(request(body, "application/json; charset=utf-8"), Draft)
    assert draft.bylines[0].name == "Ana"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "field"),
    [
        (b"{}", "text/plain", 415, "Content-Type"),
        (b"headline=x", "application/x-www-form-urlencoded", 415, "Content-Type"),
        (b"{", "application/json", 400, "body"),
        (b"\xff", "application/json", 400, "body"),
        (b'{"headline": NaN}', "application/json", 400, "body"),
        (b'{"headline": "\\ud800"}', "application/json", 400, "body"),
        (b"[]", "application/json", 422, "body"),
        (b"null", "application/json", 422, "body"),
        (b'"x"', "application/json", 422, "body"),
        (b"", "application/json", 400, "body"),
        (b'{"headline": 5}', "application/json", 422, "headline"),
        (b'{"headline": "a\\u0000b"}', "application/json", 422, "headline"),
        (b'{"headline": "a", "x\\u0000": 1}', "application/json", 422, "body"),
        (b'{"headline": "a", "free": {"k": ["\\u0000"]}}', "application/json", 422, "free.k.0"),
        (b'{"headline": "a", "free": 9223372036854775808}', "application/json", 422, "free"),
        (b'{"headline": "a", "bylines": [{}]}', "application/json", 422, "bylines.0.name"),
        (
            b'{"headline": "a", "bylines": [{"name": ""}]}',
            "application/json",
            422,
            "bylines.0.name",
        ),
        (b'{"headline": "a", "headlin": "b"}', "application/json", 422, "headlin"),
        (
            b'{"headline": "a", "free": ' + b"[" * 1000 + b"]" * 1000 + b"}",
            "application/json",
            422,
            "free",
        ),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, "application/json", 422, "a"),
        (b"[" * 100_000, "application/json", 400, "body"),
    ],
)
async def test_a_bad_body_is_refused_by_name(
    body: bytes, content_type: str, status: int, field: str
) -> None:
    problem = await refusal(body, content_type)
    assert (problem.status, problem.document["field"]) == (status, field)
    assert orjson.loads(problem.response().body or b"")["status"] == status  # type: ignore[arg-type]


class Part(BaseModel):
    on: bool = False


class Precise(BaseModel):
    number: int = 0
    flag: bool = False
    ratio: float = 0.5
    at: AwareDatetime | None = None
    pair: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    places: dict[str, int] = {}
    parts: list[Part] = []


async def test_values_are_taken_as_what_they_are() -> None:
    sent = b'{"number": 3, "flag": true, "ratio": 1, "at": "2026-11-23T09:30:00Z", "pair": ["a"]}'
    read = await read_json(request(sent), Precise)
    assert (read.number, read.flag, read.ratio, read.pair) == (3, True, 1.0, ("a",))
    assert read.at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"number": "3"}, "number"),
        ({"number": True}, "number"),
        ({"flag": 1}, "flag"),
        ({"flag": "true"}, "flag"),
        ({"ratio": "0.5"}, "ratio"),
        ({"at": 0}, "at"),
        ({"at": 1_796_000_000.5}, "at"),
        ({"at": "1796000000"}, "at"),
        ({"sizes": [1, "2"]}, "sizes.1"),
        ({"places": {"a": "1"}}, "places.a"),
        ({"parts": [{"on": True}, {"on": 0}]}, "parts.1.on"),
    ],
)
async def test_no_value_is_taken_for_another(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as raised:
        await read_json(request(orjson.dumps(body)), Precise)
    assert (raised.value.status, raised.value.document["field"]) == (422, field)


async def test_depth_is_allowed_as_far_as_it_is_promised() -> None:
    nested: Any = 1
    for _ in range(MAX_DEPTH - 1):
        nested = [nested]
    assert (await read_json(request(orjson.dumps({"headline": "a", "free": nested})), Draft)).free
    problem = await refusal(orjson.dumps({"headline": "a", "free": [nested]}))
    assert problem.document["title"] == "Nested too deep"


@given(st.binary(max_size=50))
async def test_no_body_fails_otherwise(body: bytes) -> None:
    problem = await refusal(body)
    assert 400 <= problem.status < 500
    assert problem.document["field"]


def test_a_validators_words_reach_the_reader_without_their_prefix() -> None:
    with pytest.raises(ValidationError) as caught:
        Byline(name="")
    document = invalid(caught.value, prefix="bylines.0.").document
    assert document["errors"] == [{"field": "bylines.0.name", "message": "say who"}]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (20, None)),
        ({"limit": "1"}, (1, None)),
        ({"limit": "100", "cursor": "c"}, (100, "c")),
        ({"limit": "007"}, (7, None)),
    ],
)
def test_paging(values: dict[str, str], expected: tuple[int, str | None]) -> None:
    assert paging(values) == expected


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "", "1.0", "x", "１", "²", "0000000011234567", "9" * 5000, " 5"]
)
def test_a_limit_out_of_range_is_refused_by_name(limit: str) -> None:
    with pytest.raises(Problem) as caught:
        paging({"limit": limit})
    assert (caught.value.status, caught.value.document["field"]) == (422, "limit")


@pytest.mark.parametrize("cursor", ["", "x" * 301])
def test_a_cursor_that_cannot_be_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as caught:
        paging({"cursor": cursor})
    assert caught.value.document["field"] == "cursor"


@given(st.text(max_size=20))
def test_no_limit_beyond_a_hundred_gets_through(limit: str) -> None:
    try:
        allowed = paging({"limit": limit})[0]
    except Problem:
        allowed = 1
    assert 1 <= allowed <= 100


@pytest.mark.parametrize(
    ("query", "field"),
    [("b=1", "b"), ("a=1&a=2", "a"), ("a=%00", "a"), ("a=" + "x" * 1001, "a"), ("%00=1", "\x00")],
)
def test_a_query_has_known_names_once(query: str, field: str) -> None:
    assert query_values(make_mocked_request("GET", "/?a=1"), {"a"}) == {"a": "1"}
    with pytest.raises(Problem) as caught:
        query_values(make_mocked_request("GET", f"/?{query}"), {"a"})
    assert (caught.value.status, caught.value.document["field"]) == (422, field)


@pytest.mark.parametrize(
    ("header", "revision"), [('"3"', 3), ('W/"3"', 3), ("3", 3), ("*", None), (etag_of(12), 12)]
)
def test_if_match_names_the_revision(header: str, revision: int | None) -> None:
    assert (
        require_match(make_mocked_request("PATCH", "/", headers={"If-Match": header})) == revision
    )


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 428),
        (" ", 428),
        ('"a"', 412),
        ('"3", "4"', 412),
        ('"٣"', 412),
        ('"' + "9" * 16 + '"', 412),
    ],
)
def test_without_a_usable_if_match_nothing_is_changed(header: str, status: int) -> None:
    with pytest.raises(Problem) as caught:
        require_match(make_mocked_request("PATCH", "/", headers={"If-Match": header}))
    assert (caught.value.status, caught.value.document["field"]) == (status, "If-Match")


def test_an_id_in_a_path_is_a_uuid_or_not_there() -> None:
    good = "019ab000-0000-7000-8000-000000000001"
    assert path_id(make_mocked_request("GET", "/", match_info={"id": good})) == good
    for bad in ("1", good.upper(), good + "\n", "../x", ""):
        with pytest.raises(Problem) as caught:
            path_id(make_mocked_request("GET", "/", match_info={"id": bad}))
        assert (caught.value.status, caught.value.document["field"]) == (404, "id")


def test_json_answers_dump_models_inside_other_values() -> None:
    answer = json_response({"items": [Byline(name="Ana")], "next": None})
    assert answer.body == b'{"items":[{"name":"Ana"}],"next":null}'
    assert json_response(Draft(headline="H")).body == b'{"headline":"H","bylines":[]}'
    with pytest.raises(TypeError):
        json_response({"x": object()})


async def test_a_redirect_passes_and_a_lost_connection_is_no_problem_document() -> None:
    for error in (web.HTTPFound("/x"), ConnectionResetError("gone")):

        async def handler(_: web.Request, error: Exception = error) -> web.StreamResponse:
            raise error

        with pytest.raises(type(error)):
            await problems(make_mocked_request("GET", "/"), handler)


def test_a_name_that_is_no_text_or_has_no_end_is_told_all_the_same() -> None:
    told = Problem(422, "Unknown", field="\udcff" + "x" * 10_000).document
    assert told["field"] == "?" + "x" * 199
    assert told["errors"] == [{"field": told["field"], "message": "Unknown"}]
    assert orjson.dumps(told)
