"""Who may do what: each route with each role, and with nobody."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.integration

LADDER = ("contributor", "editor", "chief", "admin")

ROUTES: list[tuple[str, str, Any, str]] = [
    ("POST", "/api/v1/articles", {"headline": "x"}, "contributor"),
    ("GET", "/api/v1/articles", None, "contributor"),
    ("GET", "/api/v1/articles/{id}", None, "contributor"),
    ("PATCH", "/api/v1/articles/{id}", {"headline": "x"}, "editor"),
    ("DELETE", "/api/v1/articles/{id}", None, "editor"),
    ("POST", "/api/v1/articles/{id}/submit", None, "editor"),
    ("POST", "/api/v1/articles/{id}/return", {"note": "x"}, "editor"),
    ("POST", "/api/v1/articles/{id}/schedule", {"at": "2030-01-01T00:00:00Z"}, "editor"),
    ("POST", "/api/v1/articles/{id}/unschedule", None, "editor"),
    ("POST", "/api/v1/articles/{id}/retract/confirm", None, "chief"),
    ("POST", "/api/v1/articles/{id}/retract/decline", None, "chief"),
    ("GET", "/api/v1/calendar", None, "contributor"),
    ("GET", "/api/v1/trash", None, "contributor"),
    ("POST", "/api/v1/trash/{id}/restore", None, "contributor"),
    ("DELETE", "/api/v1/trash/{id}", None, "contributor"),
    ("POST", "/api/v1/articles/{id}/preview", None, "contributor"),
    ("POST", "/api/v1/articles/{id}/publish", None, "editor"),
    ("POST", "/api/v1/articles/{id}/correct", {"text": "x"}, "editor"),
    ("POST", "/api/v1/articles/{id}/unpublish", None, "editor"),
    ("POST", "/api/v1/articles/{id}/retract", {"reason": "x"}, "chief"),
    ("GET", "/api/v1/articles/{id}/checklist", None, "contributor"),
    ("GET", "/api/v1/articles/{id}/fanout", None, "contributor"),
    ("GET", "/api/v1/articles/{id}/revisions", None, "contributor"),
    ("GET", "/api/v1/articles/{id}/revisions/1", None, "contributor"),
    ("POST", "/api/v1/authors", {"slug": "ada-quill", "name": "Ada Quill"}, "editor"),
    ("GET", "/api/v1/authors", None, "contributor"),
    ("GET", "/api/v1/authors/nobody", None, "contributor"),
    ("PATCH", "/api/v1/authors/nobody", {"role": "Reporter"}, "editor"),
    ("DELETE", "/api/v1/authors/nobody", None, "editor"),
    ("GET", "/api/v1/sections", None, "contributor"),
    ("GET", "/api/v1/articles/{id}/revisions/1/diff", None, "contributor"),
    ("POST", "/api/v1/articles/{id}/revisions/1/restore", None, "editor"),
    ("PUT", "/api/v1/articles/{id}/lock", {"session": "a", "take_over": True}, "editor"),
    ("GET", "/api/v1/articles/{id}/lock", None, "contributor"),
    ("DELETE", "/api/v1/articles/{id}/lock", None, "contributor"),
    (
        "PUT",
        "/api/v1/articles/{id}/autosave",
        {"session": "a", "seq": 1, "base_revision": 1, "content": {}},
        "editor",
    ),
    ("GET", "/api/v1/articles/{id}/autosave", None, "contributor"),
    ("DELETE", "/api/v1/articles/{id}/autosave", None, "contributor"),
    ("PUT", "/api/v1/imports/old/1", {"headline": "x"}, "admin"),
    ("GET", "/api/v1/exports/articles", None, "admin"),
    ("POST", "/api/v1/inbound-sources", {"name": "x"}, "admin"),
    ("GET", "/api/v1/inbound-sources", None, "admin"),
    ("DELETE", "/api/v1/inbound-sources/none.example", None, "admin"),
    ("GET", "/api/v1/audit", None, "editor"),
    ("GET", "/api/v1/users", None, "admin"),
    ("POST", "/api/v1/users", {"email": "x@y.example"}, "admin"),
    ("GET", "/api/v1/users/01890000-0000-7000-8000-000000000000", None, "admin"),
    ("PATCH", "/api/v1/users/01890000-0000-7000-8000-000000000000", {}, "admin"),
    ("DELETE", "/api/v1/users/01890000-0000-7000-8000-000000000000/totp", None, "admin"),
    ("POST", "/api/v1/users/01890000-0000-7000-8000-000000000000/sign-out", None, "admin"),
    ("GET", "/api/v1/sessions", None, "contributor"),
    ("POST", "/api/v1/sessions/end-all", {"keep_current": True}, "contributor"),
    ("PUT", "/api/v1/me/password", {}, "contributor"),
    ("POST", "/api/v1/me/totp", {}, "contributor"),
    ("POST", "/api/v1/me/totp/confirm", {}, "contributor"),
    ("DELETE", "/api/v1/me/totp", {}, "contributor"),
    ("GET", "/api/v1/tokens", None, "contributor"),
    ("POST", "/api/v1/tokens", {"name": "x"}, "contributor"),
    ("GET", "/api/v1/me", None, "contributor"),
]


async def test_each_route_opens_at_its_role(desk: Any) -> None:
    for method, path, body, needed in ROUTES:
        article = await desk.article()
        for role in LADDER:
            status, answer, _ = await desk.call(
                method, path.format(id=article["id"]), body, role=role, match="*"
            )
            if LADDER.index(role) < LADDER.index(needed):
                assert (status, answer["field"]) == (403, "Authorization"), (method, path, role)
            else:
                assert status not in {401, 403}, (method, path, role)
                assert status < 500


async def test_nobody_gets_401(desk: Any) -> None:
    closed = [
        *((method, path) for method, path, _, _ in ROUTES),
        ("POST", "/api/v1/media"),
        ("DELETE", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions/{id}"),
        ("DELETE", "/api/v1/tokens/{id}"),
        ("GET", "/api/v1/articles/{id}/fanout/stream"),
    ]
    for method, path in closed:
        for token in (None, "not-a-token"):
            status, problem, headers = await desk.call(
                method, path.format(id="01890000-0000-7000-8000-000000000000"), role=token
            )
            assert (status, problem["field"]) == (401, "Authorization"), (method, path)
            assert headers["WWW-Authenticate"].startswith("Bearer")


async def test_no_route_is_left_out_of_these_tables(desk: Any) -> None:
    tested = {(method, path) for method, path, _, _ in ROUTES}
    open_to_all = {
        ("POST", "/api/v1/sessions"),
        ("GET", "/media/{id}/{file}"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/api/v1/docs"),
        ("POST", "/api/v1/inbound/{source}"),
    }
    own = {
        ("POST", "/api/v1/media"),
        ("DELETE", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions/{id}"),
        ("DELETE", "/api/v1/tokens/{id}"),
        ("GET", "/api/v1/articles/{id}/fanout/stream"),
    }
    served = {(route.method, route.path) for route in desk.service.routes}
    named = {
        (method, path.replace("01890000-0000-7000-8000-000000000000", "{id}"))
        for method, path in tested
    }
    named = {
        (
            method,
            path.replace("revisions/1", "revisions/{revision}")
            .replace("nobody", "{slug}")
            .replace("old/1", "{source}/{external_id}")
            .replace("none.example", "{name}"),
        )
        for method, path in named
    }
    assert served == named | open_to_all | own


async def test_a_contributor_changes_only_drafts_of_their_own(desk: Any) -> None:
    own = await desk.article(role="contributor")
    path = f"/api/v1/articles/{own['id']}"
    status, _, _ = await desk.call("PATCH", path, {"headline": "y"}, role="contributor", match=1)
    assert status == 200
    await desk.act(own["id"], "publish")
    for method in ("PATCH", "DELETE"):
        status, problem, _ = await desk.call(
            method, path, {"headline": "z"}, role="contributor", match="*"
        )
        assert (status, problem["field"]) == (403, "Authorization")
    draft = await desk.article(role="contributor")
    status, _, _ = await desk.call(
        "DELETE", f"/api/v1/articles/{draft['id']}", role="contributor", match=1
    )
    assert status == 204
