"""Descriptions become OpenAPI: what follows from a route is derived, what cannot be told is refused."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.base import Instant
from shared.contracts.identity import Role
from shared.web.description import (
    FORM,
    MULTIPART,
    PAGING,
    Answer,
    Operation,
    Page,
    Parameter,
    Refusal,
    Shown,
    Tag,
    described,
)
from shared.web.openapi import document

THINGS = Tag("Things", "Of all kinds.")


class Thing(Shown):
    """A thing."""

    name: str
    """What it is called."""
    note: str | None = None
    ended: str | None
    at: Instant

    EXAMPLE: ClassVar[dict[str, Any]] = {"name": "one", "ended": None, "at": "2026-11-23T09:30:00Z"}


class NewThing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=5)]
    size: int | None = None


async def nothing(_: web.Request) -> web.Response:
    return web.Response()


def operation(route: web.RouteDef, id: str = "do_it", **more: Any) -> Any:
    """The operation as the document of that one route has it."""
    answers = more.pop("answers", {200: Answer("Done.")})
    done = document([described(route, Operation(id, "Do it", THINGS, answers, **more))])
    (methods,) = done["paths"].values()
    return done, methods[route.method.lower()]


def statuses(route: web.RouteDef, **more: Any) -> set[str]:
    return set(operation(route, **more)[1]["responses"])


def test_what_a_route_takes_says_what_it_refuses() -> None:
    signed_in = {"200", "401", "403", "503"}
    get, post = web.get("/things", nothing), web.post("/things", nothing)
    assert statuses(get) == {"200", "503"}
    assert statuses(get, stored=False) == {"200"}
    assert statuses(get, role=Role.EDITOR) == signed_in | {"422"}
    assert statuses(post, role=Role.EDITOR) == signed_in
    assert statuses(post, role=Role.EDITOR, body=NewThing) == (
        signed_in | {"400", "408", "413", "415", "422"}
    )
    assert statuses(post, body=NewThing, body_media=MULTIPART) == {
        "200", "400", "413", "415", "422", "503",
    }  # fmt: skip
    assert statuses(post, body=NewThing, body_media=FORM) == {"200", "413", "503"}
    assert statuses(get, query=PAGING) == {"200", "422", "503"}
    assert statuses(web.get("/things/{id}", nothing)) == {"200", "404", "503"}
    assert statuses(post, if_match=True) == {"200", "412", "428", "503"}
    assert statuses(get, conditional=True) == {"200", "304", "503"}
    assert statuses(get, refusals=(Refusal(409, "Not now"),)) == {"200", "409", "503"}


def test_a_refusal_of_its_own_stands_beside_the_common_one_or_for_it() -> None:
    post = web.post("/things/{id}", nothing)
    own = (Refusal(422, "The colour is unknown", "colour"), Refusal(404, "No such thing", "id"))
    _, written = operation(post, body=NewThing, refusals=own)
    found = written["responses"]
    assert found["422"]["description"] == "The colour is unknown; or: The input is not valid."
    assert found["404"]["description"] == "No such thing."
    problems = found["422"]["content"]["application/problem+json"]["examples"]
    assert problems["The colour is unknown (colour)"]["value"] == {
        "type": "about:blank",
        "title": "The colour is unknown",
        "status": 422,
        "detail": "The colour is unknown",
        "field": "colour",
        "errors": [{"field": "colour", "message": "The colour is unknown"}],
    }


def test_common_refusals_are_shared_with_their_headers() -> None:
    done, written = operation(web.get("/things", nothing), role=Role.CHIEF)
    assert written["responses"]["401"] == {"$ref": "#/components/responses/Unauthorized"}
    responses = done["components"]["responses"]
    assert responses["Unauthorized"]["headers"]["WWW-Authenticate"]["required"] is True
    assert responses["DatabaseAway"]["headers"]["Retry-After"]["required"] is True
    assert written["security"] == [{"bearer": []}]
    assert written["x-herald-role"] == "chief"


def test_an_open_route_needs_nothing() -> None:
    _, written = operation(web.get("/things", nothing))
    assert written["security"] == []
    assert "x-herald-role" not in written


def test_an_answer_leaves_out_what_is_none_by_default_and_may_grow() -> None:
    done, written = operation(
        web.get("/things", nothing), answers={200: Answer("Things.", Page[Thing])}
    )
    content = written["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/ThingList"}
    assert content["example"] == {"items": [Thing.EXAMPLE], "next": None}
    schemas = done["components"]["schemas"]
    thing = schemas["Thing"]
    assert thing["required"] == ["name", "ended", "at"]
    assert thing["properties"] == {
        "name": {"type": "string", "description": "What it is called."},
        "note": {"type": "string"},
        "ended": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "at": {"type": "string", "format": "date-time"},
    }
    assert "additionalProperties" not in thing


def test_a_body_is_exact() -> None:
    done, written = operation(
        web.post("/things", nothing), body=NewThing, example={"name": "a"}, body_optional=True
    )
    assert written["requestBody"]["required"] is False
    assert written["requestBody"]["content"]["application/json"]["example"] == {"name": "a"}
    thing = done["components"]["schemas"]["NewThing"]
    assert thing["additionalProperties"] is False
    assert thing["properties"]["name"] == {"type": "string", "minLength": 1, "maxLength": 5}


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a/{id}", "/a/{id}"),
        (r"/s/articles-{file:[1-9][0-9]{0,5}}.xml", "/s/articles-{file}.xml"),
        ("/a/{id}/{file}", "/a/{id}/{file}"),
    ],
)
def test_a_path_loses_its_pattern(path: str, written: str) -> None:
    done, found = operation(web.get(path, nothing), path=(Parameter("file", "A name."),))
    assert list(done["paths"]) == [written]
    assert all(one["required"] for one in found["parameters"])


def test_a_route_without_description_is_refused() -> None:
    with pytest.raises(ValueError, match="no description"):
        document([web.get("/things", nothing)])


def test_a_name_or_a_route_used_twice_is_refused() -> None:
    one = Operation("one", "One", THINGS, {200: Answer("Done.")})
    with pytest.raises(ValueError, match="twice"):
        document([described(web.get("/a", nothing), one), described(web.get("/b", nothing), one)])
    other = Operation("other", "Other", THINGS, {200: Answer("Done.")})
    with pytest.raises(ValueError, match="twice"):
        document([described(web.get("/a", nothing), one), described(web.get("/a", nothing), other)])


def test_a_described_route_is_served_as_the_route() -> None:
    app = web.Application()
    one = Operation("one", "One", THINGS, {200: Answer("Done.")})
    app.add_routes([described(web.get("/a", nothing), one)])
    assert {route.method for route in app.router.routes()} == {"GET", "HEAD"}
