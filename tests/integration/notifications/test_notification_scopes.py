"""A token limited to scopes is held to them by notifications too, although it never sees publishing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.identity import Role, Scope

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("/api/v1/subscribers", Scope.AUDIENCE),
        ("/api/v1/campaigns", Scope.AUDIENCE),
        ("/api/v1/webhooks", Scope.WEBHOOKS),
        ("/api/v1/notifications/deliveries", Scope.DELIVERIES),
    ],
)
async def test_a_scope_opens_its_routes_and_no_others(
    replica: Any, path: str, needed: Scope
) -> None:
    for scope in Scope:
        made = replica.identities.issue("u", "Program", Role.ADMIN, timedelta(hours=1), [scope])
        headers = {"Authorization": f"Bearer {made[0]}"}
        async with replica.client.get(path, headers=headers) as answer:
            document = await answer.json(content_type=None)
        if scope is needed:
            assert answer.status == 200, document
        else:
            assert (answer.status, document["field"]) == (403, "Authorization"), scope
            assert needed in document["detail"]
