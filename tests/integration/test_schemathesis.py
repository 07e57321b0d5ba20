"""Thousands of requests made from the OpenAPI document, good and bad: no 5xx, and no answer it does not tell of."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import Status, events, from_schema

from services.standalone.client import HeraldClient
from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.contracts.identity import Role
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id, new_token
from shared.runtime.keys import KeyRing
from shared.web.identity import Identities

pytestmark = pytest.mark.integration

SECRET = "a secret of more than thirty-two characters"
SEED = 20261123
DOCUMENT = "/api/v1/openapi.json"

UNTRIED = ["follow_fanout"]
"""An event stream never ends by itself, so a caller that reads to the end would wait for ever
(`test_publishing_board.py` follows it)."""

TRIED_ELSEWHERE = [
    # One function answers all of these and preview_at_site (`shared.web.previews`).
    "preview_at_social",
    "preview_at_sitemap",
    "preview_at_notifications",
    # Its changes are the fields of edit_article, and each call asks every service.
    "preview_article",
]
"""Called, but not with each boundary of each of their many fields: that would take a minute."""

ACCEPTED = ["2xx", "3xx", 401, 403, 404, 409, 412, 422, 429]
"""What may be said to a request that its schema allows: 412 of a revision that is not the present one,
422 for what no schema can say (a section that is not the paper's, a picture that is none)."""
REFUSED = [400, 401, 403, 404, 405, 409, 412, 415, 422, 428, 429]


@pytest.fixture
async def stack(mongod: Mongod, tmp_path: Path) -> AsyncIterator[Stack]:
    options = Options(
        data=tmp_path / "data",
        port=0,
        sandbox_port=None,
        mongo_url=mongod.url,
        settings={"mongo_prefix": f"described_{new_token()[:8]}", "secret_key": SECRET},
    )
    async with Stack(options) as running:
        yield running


def _config(url: str, token: str) -> schemathesis.Config:
    return schemathesis.Config.from_dict(
        {
            "seed": SEED,
            "cache": {"enabled": False},
            "base-url": url,
            "headers": {"Authorization": f"Bearer {token}"},
            "continue-on-failure": True,
            "request-timeout": 20,
            "suppress-health-check": ["all"],
            "generation": {"deterministic": True, "max-examples": 5, "database": "none"},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ACCEPTED},
                "negative_data_rejection": {"expected-statuses": REFUSED},
                "missing_required_header": {"expected-statuses": REFUSED},
            },
            "operations": [
                {"include-operation-id": UNTRIED, "enabled": False},
                {
                    "include-operation-id": TRIED_ELSEWHERE,
                    "phases": {"coverage": {"enabled": False}},
                },
                # DELETE of it is no unknown method: it is the end of a session with that id.
                {
                    "include-operation-id": ["end_all_sessions"],
                    "checks": {
                        "unsupported_method": {"enabled": False},
                        "allow_header_conformance": {"enabled": False},
                    },
                },
                # Their links are signed, which no schema can say.
                {
                    "include-tag": ["Subscriptions"],
                    "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, 400]}},
                },
            ],
        }
    )


def _tried(url: str, token: str) -> tuple[Counter[str], list[str]]:
    """How often each operation was called, and everything that was wrong."""
    schema = schemathesis.openapi.from_url(url + DOCUMENT, config=_config(url, token))
    calls: Counter[str] = Counter()
    wrongs: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrongs.append(repr(event))
        if not isinstance(event, events.ScenarioFinished):
            continue
        for id, interaction in event.recorder.interactions.items():
            if interaction.response is not None:
                calls[event.recorder.cases[id].value.operation.definition.raw["operationId"]] += 1
        for id, checks in event.recorder.checks.items():
            for check in checks:
                if check.status is Status.FAILURE and check.failure_info is not None:
                    response = event.recorder.interactions[id].response
                    wrongs.append(
                        f"{check.name}: {check.failure_info.failure.message}\n"
                        f"{check.failure_info.code_sample}\n"
                        f"{response and (response.status_code, response.content[:300])}"
                    )
    return calls, wrongs


async def test_the_document_tells_every_answer(stack: Stack) -> None:
    assert stack.ready is not None
    # The API does not know this token's id, so no request made up from its answers can end it.
    token, _, _ = Identities(KeyRing(SECRET), SystemClock()).issue(
        new_id(), "Nobody", Role.ADMIN, timedelta(hours=1)
    )
    calls, wrongs = await asyncio.to_thread(_tried, stack.ready.url, token)
    print(f"\n{sum(calls.values())} requests over {len(calls)} operations")
    assert wrongs == [], "\n\n".join(wrongs)
    async with HeraldClient(stack.ready.url, token) as client:
        document: dict[str, Any] = await client.call("GET", DOCUMENT)
    described = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    # The document itself is what the run began with.
    assert set(calls) == described - {*UNTRIED, "read_openapi"}
    assert sum(calls.values()) > 2000


async def test_signing_out_with_a_token_of_its_own(stack: Stack) -> None:
    """The one act that ends what it is called with: tried above only with a token that stays."""
    assert stack.ready is not None
    url = stack.ready.url
    async with HeraldClient(url, stack.ready.admin_token) as client:
        made = await client.call("POST", "/api/v1/tokens", {"name": "short-lived"})
    headers = {"Authorization": f"Bearer {made['token']}"}
    config = _config(url, made["token"])

    def sign_out() -> list[int]:
        schema = schemathesis.openapi.from_url(url + DOCUMENT, config=config)
        case = schema.find_operation_by_id("sign_out").Case()
        return [case.call_and_validate(headers=headers).status_code for _ in range(2)]

    assert await asyncio.to_thread(sign_out) == [204, 401]
