"""Tokens that are limited to scopes: what they open, what they never open, and what they may hand on."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.integration

ANY_ID = "01890000-0000-7000-8000-000000000000"


async def _limited(desk: Any, *scopes: str, role: str = "admin") -> Any:
    body = {"name": "limited", "scopes": list(scopes)}
    status, made, _ = await desk.call("POST", "/api/v1/tokens", body, role=role)
    assert status == 201, made
    assert made["scopes"] == sorted(scopes)
    return made


async def test_a_scope_opens_its_routes_and_no_others(desk: Any) -> None:
    article = await desk.article()
    path = f"/api/v1/articles/{article['id']}"
    tried: list[tuple[str, str, Any, str]] = [
        ("GET", path, None, "articles:read"),
        ("GET", f"{path}/revisions/1", None, "articles:read"),
        ("POST", "/api/v1/articles", {"headline": "x"}, "articles:write"),
        ("PATCH", path, {"headline": "x"}, "articles:write"),
        ("POST", f"{path}/publish", None, "articles:publish"),
        ("POST", f"{path}/correct", {"text": "x"}, "articles:publish"),
        ("POST", "/api/v1/media", {}, "media:write"),
        ("GET", "/api/v1/audit", None, "audit:read"),
        ("GET", "/api/v1/users", None, "people"),
        ("GET", "/api/v1/tokens", None, "tokens"),
    ]
    tokens = {scope: (await _limited(desk, scope))["token"] for *_, scope in tried}
    for method, route, body, needed in tried:
        for scope, token in tokens.items():
            status, answer, headers = await desk.call(method, route, body, role=token, match="*")
            if scope == needed:
                assert status not in {401, 403}, (method, route, scope)
            else:
                assert (status, answer["field"]) == (403, "Authorization"), (method, route, scope)
                assert needed in answer["detail"]
                assert f'scope="{needed}"' in headers["WWW-Authenticate"]
            assert status < 500


async def test_no_limited_token_touches_passwords_factors_or_sessions(desk: Any) -> None:
    every = (
        *("articles:read", "articles:write", "articles:publish", "media:write", "channels"),
        *("deliveries", "audience", "webhooks", "imports", "people", "tokens", "audit:read"),
    )
    token = (await _limited(desk, *every))["token"]
    for method, path, body in (
        ("PUT", "/api/v1/me/password", {"current": "x", "new": "long enough 1"}),
        ("POST", "/api/v1/me/totp", {"password": "x"}),
        ("POST", "/api/v1/me/totp/confirm", {"code": "123456"}),
        ("DELETE", "/api/v1/me/totp", {"password": "x", "code": "123456"}),
        ("GET", "/api/v1/sessions", None),
        ("POST", "/api/v1/sessions/end-all", {}),
        ("DELETE", f"/api/v1/sessions/{ANY_ID}", None),
    ):
        status, problem, headers = await desk.call(method, path, body, role=token)
        assert (status, problem["field"]) == (403, "Authorization"), path
        assert "insufficient_scope" in headers["WWW-Authenticate"]
    _, me, _ = await desk.call("GET", "/api/v1/me", role=token)
    assert me["scopes"] == sorted(every)
    assert (await desk.call("DELETE", "/api/v1/sessions", role=token))[0] == 204  # ends itself
    assert (await desk.call("GET", "/api/v1/me", role=token))[0] == 401


async def test_a_scope_gives_nothing_that_the_role_does_not(desk: Any) -> None:
    token = (await _limited(desk, "people", role="editor"))["token"]
    status, problem, _ = await desk.call("GET", "/api/v1/users", role=token)
    assert (status, problem["field"]) == (403, "Authorization")
    assert "admin" in problem["detail"]


async def test_a_limited_token_hands_on_no_more_than_it_has(desk: Any) -> None:
    token = (await _limited(desk, "tokens", "articles:read"))["token"]
    body = {"name": "wider", "scopes": ["articles:read", "articles:write"]}
    status, problem, _ = await desk.call("POST", "/api/v1/tokens", body, role=token)
    assert (status, problem["field"]) == (422, "scopes")
    assert "articles:write" in problem["detail"]
    _, same, _ = await desk.call("POST", "/api/v1/tokens", {"name": "same"}, role=token)
    assert same["scopes"] == ["articles:read", "tokens"]
    body = {"name": "less", "scopes": ["articles:read"]}
    _, less, _ = await desk.call("POST", "/api/v1/tokens", body, role=same["token"])
    status, problem, _ = await desk.call("POST", "/api/v1/tokens", body, role=less["token"])
    assert (status, problem["field"]) == (403, "Authorization")
    _, listed, _ = await desk.call("GET", "/api/v1/tokens", role=token)
    assert [one["scopes"] for one in listed["items"]][:2] == [
        ["articles:read"],
        ["articles:read", "tokens"],
    ]


async def test_scopes_are_held_to_rules(desk: Any) -> None:
    for scopes in ([], None, ["everything"], "articles:read", ["channels", "channels"], [1], {}):
        body = {"name": "x", "scopes": scopes}
        status, problem, _ = await desk.call("POST", "/api/v1/tokens", body)
        assert status == 422, scopes
        assert problem["field"].split(".")[0] == "scopes"


async def test_a_token_without_scopes_reaches_all_its_role_allows(desk: Any) -> None:
    _, made, _ = await desk.call("POST", "/api/v1/tokens", {"name": "full"}, role="admin")
    assert "scopes" not in made
    for path in ("/api/v1/users", "/api/v1/audit", "/api/v1/sessions", "/api/v1/articles"):
        assert (await desk.call("GET", path, role=made["token"]))[0] == 200
