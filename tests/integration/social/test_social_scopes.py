"""A token limited to scopes is held to them by the social service too, although it never sees publishing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.identity import Role, Scope

pytestmark = pytest.mark.integration


def _token(desk: Any, *scopes: str) -> str:
    made = desk.identities.issue("u1", "A program", Role.ADMIN, timedelta(days=1), scopes)
    token: str = made[0]
    return token


async def test_a_scope_opens_its_routes_and_no_others(desk: Any) -> None:
    for method, path, needed in (
        ("GET", "/api/v1/channels", Scope.CHANNELS),
        ("POST", "/api/v1/channels/pause", Scope.CHANNELS),
        ("POST", "/api/v1/channels/mastodon/none/test", Scope.CHANNELS),
        ("GET", "/api/v1/deliveries", Scope.DELIVERIES),
        ("POST", "/api/v1/deliveries/none/retry", Scope.DELIVERIES),
    ):
        body = {} if method == "POST" else None
        for scope in Scope:
            answer = await desk.call(method, path, body, token=_token(desk, scope))
            if scope is needed:
                assert answer.status not in {401, 403}, (path, scope)
            else:
                assert (answer.status, answer.field) == (403, "Authorization"), (path, scope)
                assert needed in answer.text


async def test_a_token_limited_to_nothing_opens_nothing(desk: Any) -> None:
    answer = await desk.call("GET", "/api/v1/channels", token=_token(desk))
    assert (answer.status, answer.field) == (403, "Authorization")
