"""Every route of every service either has a place in the table of scopes or is open to all, and says which."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from services.standalone.catalog import NAMES, entry
from shared.contracts.identity import Scope
from shared.messaging.memory import MemoryBus
from shared.runtime.clock import SystemClock
from shared.web.app import make_app
from shared.web.scopes import TABLE, Reach, needed

OPEN = {
    "POST /api/v1/inbound/{source}",
    "POST /api/v1/sessions",
    "POST /api/v1/subscriptions",
    "GET /api/v1/subscriptions/confirm",
    "POST /api/v1/subscriptions/confirm",
    "GET /api/v1/subscriptions/unsubscribe",
    "POST /api/v1/subscriptions/unsubscribe",
    "GET /api/v1/openapi.json",
    "GET /api/v1/docs",
}
"""Routes of the API that look at no token; everything outside it is for readers."""


def _routes(service: str) -> set[tuple[str, str]]:
    found = entry(service)
    settings = found.settings(secret_key="a secret of more than thirty-two characters")
    built = found.build(settings, MagicMock(), MemoryBus(), SystemClock())
    app = make_app(built.routes, MagicMock())
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


@pytest.fixture(scope="module")
def routes() -> set[tuple[str, str]]:
    return {route for name in NAMES for route in _routes(name)}


def test_each_route_of_the_api_is_in_the_table_or_open_to_all(routes: Any) -> None:
    api = {(method, path) for method, path in routes if path.startswith("/api/")}
    unknown = {f"{method} {path}" for method, path in api if needed(method, path) is None}
    assert unknown - OPEN == set(), "give each a line in shared/web/scopes.py"
    assert {f"{method} {path}" for method, path in api} >= OPEN


def test_each_scope_opens_something() -> None:
    assert set(TABLE) == {*Scope, *Reach}
    assert all(TABLE.values())


@pytest.mark.parametrize(
    ("method", "path", "needs"),
    [
        ("GET", "/api/v1/articles/{id}/fanout/stream", Scope.ARTICLES_READ),
        ("PATCH", "/api/v1/articles/{id}", Scope.ARTICLES_WRITE),
        ("POST", "/api/v1/articles/{id}/retract", Scope.ARTICLES_PUBLISH),
        ("POST", "/api/v1/articles/{id}/no-such-act", None),
        ("HEAD", "/api/v1/me", Reach.ANY),
        ("PUT", "/api/v1/me/password", Reach.FULL),
        ("DELETE", "/api/v1/me/totp", Reach.FULL),
        ("DELETE", "/api/v1/sessions", Reach.ANY),
        ("DELETE", "/api/v1/sessions/{id}", Reach.FULL),
        ("POST", "/api/v1/users/{id}/sign-out", Scope.PEOPLE),
        ("GET", "/api/v1/users2", None),
        ("POST", "/api/v1/audit", None),
        ("GET", "/", None),
    ],
)
def test_the_longest_line_decides(method: str, path: str, needs: Any) -> None:
    assert needed(method, path) is needs
