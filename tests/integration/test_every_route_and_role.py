"""Every route of every service with nobody, with a broken token and with each role: who is let in, and who is not.

The table is the newsroom's word on who may what; a route that is not in it fails the test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import orjson
import pytest

from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.contracts.identity import Role
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id, new_token
from shared.runtime.keys import KeyRing
from shared.web.identity import Identities
from shared.web.openapi import COMMITTED

pytestmark = pytest.mark.integration

ARTICLE, DELIVERIES = "/api/v1/articles/{id}", "/api/v1/deliveries"
MAIL_DELIVERIES = "/api/v1/notifications/deliveries"
CHANNEL = "/api/v1/channels/{channel}/{name}"
SECRET = "a secret of more than thirty-two characters"

EVERYBODY = """
GET /
GET /articles/{slug}
GET /sections/{slug}
GET /assets/icon.{digest}.svg
GET /assets/site.{digest}.css
GET /{path}
GET /media/{id}/{file}
GET /cards/{id}/{digest}-{size}.jpg
GET /feed.xml
GET /news-sitemap.xml
GET /sitemap.xml
GET /sitemaps/articles-{file}.xml
GET /robots.txt
GET /healthz
GET /readyz
GET /metrics
POST /api/v1/sessions
POST /api/v1/subscriptions
GET /api/v1/subscriptions/confirm
POST /api/v1/subscriptions/confirm
GET /api/v1/subscriptions/unsubscribe
POST /api/v1/subscriptions/unsubscribe
GET /api/v1/openapi.json
GET /api/v1/docs
POST /api/v1/inbound/{source}
GET /api/v1/channels/callback
"""
SIGNED_IN: dict[Role, str] = {
    Role.CONTRIBUTOR: f"""
GET /api/v1/articles
POST /api/v1/articles
GET {ARTICLE}
PATCH {ARTICLE}
DELETE {ARTICLE}
GET {ARTICLE}/autosave
PUT {ARTICLE}/autosave
DELETE {ARTICLE}/autosave
GET {ARTICLE}/lock
PUT {ARTICLE}/lock
DELETE {ARTICLE}/lock
GET {ARTICLE}/checklist
GET {ARTICLE}/fanout
GET {ARTICLE}/fanout/stream
POST {ARTICLE}/preview
POST {ARTICLE}/submit
POST {ARTICLE}/return
GET {ARTICLE}/revisions
GET {ARTICLE}/revisions/{{revision}}
GET {ARTICLE}/revisions/{{revision}}/diff
POST {ARTICLE}/revisions/{{revision}}/restore
GET /api/v1/authors
GET /api/v1/authors/{{slug}}
GET /api/v1/calendar
GET /api/v1/sections
POST /api/v1/media
GET /api/v1/trash
POST /api/v1/trash/{{id}}/restore
DELETE /api/v1/trash/{{id}}
GET /api/v1/me
PUT /api/v1/me/password
POST /api/v1/me/totp
POST /api/v1/me/totp/confirm
DELETE /api/v1/me/totp
GET /api/v1/sessions
DELETE /api/v1/sessions
POST /api/v1/sessions/end-all
DELETE /api/v1/sessions/{{id}}
GET /api/v1/tokens
POST /api/v1/tokens
DELETE /api/v1/tokens/{{id}}
POST /api/v1/previews/notifications
POST /api/v1/previews/site
POST /api/v1/previews/sitemap
POST /api/v1/previews/social
GET /api/v1/channels
GET {CHANNEL}/policy
GET {DELIVERIES}
GET {DELIVERIES}/{{id}}
GET {MAIL_DELIVERIES}
GET {MAIL_DELIVERIES}/{{id}}
""",
    Role.EDITOR: f"""
POST {ARTICLE}/schedule
POST {ARTICLE}/unschedule
POST {ARTICLE}/publish
POST {ARTICLE}/correct
POST {ARTICLE}/unpublish
POST /api/v1/authors
PATCH /api/v1/authors/{{slug}}
DELETE /api/v1/authors/{{slug}}
GET /api/v1/audit
GET /api/v1/campaigns
GET /api/v1/campaigns/{{id}}
GET /api/v1/subscribers
POST /api/v1/subscribers
DELETE /api/v1/subscribers/{{id}}
POST /api/v1/channels/pause
POST /api/v1/channels/resume
POST {CHANNEL}/pause
POST {CHANNEL}/resume
POST {DELIVERIES}/{{id}}/cancel
POST {DELIVERIES}/{{id}}/resolve
POST {DELIVERIES}/{{id}}/retry
POST {MAIL_DELIVERIES}/{{id}}/cancel
POST {MAIL_DELIVERIES}/{{id}}/resolve
POST {MAIL_DELIVERIES}/{{id}}/retry
""",
    Role.CHIEF: f"""
POST {ARTICLE}/retract
POST {ARTICLE}/retract/confirm
POST {ARTICLE}/retract/decline
GET /api/v1/webhooks
POST /api/v1/webhooks
GET /api/v1/webhooks/{{id}}
DELETE /api/v1/webhooks/{{id}}
POST /api/v1/webhooks/{{id}}/test
""",
    Role.ADMIN: f"""
POST /api/v1/channels
PUT /api/v1/channels/oauth/apps/{{channel}}
POST /api/v1/channels/oauth
GET /api/v1/channels/oauth/connections/{{id}}
POST /api/v1/channels/oauth/connections/{{id}}
PUT {CHANNEL}/policy
DELETE {CHANNEL}
POST {CHANNEL}/test
GET /api/v1/users
POST /api/v1/users
GET /api/v1/users/{{id}}
PATCH /api/v1/users/{{id}}
POST /api/v1/users/{{id}}/sign-out
DELETE /api/v1/users/{{id}}/totp
PUT /api/v1/imports/{{source}}/{{external_id}}
GET /api/v1/exports/articles
GET /api/v1/inbound-sources
POST /api/v1/inbound-sources
DELETE /api/v1/inbound-sources/{{name}}
""",
}
ENDS_ITSELF = {"DELETE /api/v1/sessions", "POST /api/v1/sessions/end-all"}
"""A token does not survive these, so each call gets one of its own."""


def rows(table: str) -> list[str]:
    return [line for line in table.splitlines() if line]


@pytest.fixture
async def stack(mongod: Mongod, tmp_path: Path) -> AsyncIterator[Stack]:
    options = Options(
        data=tmp_path / "data",
        port=0,
        sandbox_port=None,
        mongo_url=mongod.url,
        settings={"mongo_prefix": f"roles_{new_token()[:8]}", "secret_key": SECRET},
    )
    async with Stack(options) as running:
        yield running


def token(role: Role) -> str:
    issuer = Identities(KeyRing(SECRET), SystemClock())
    return issuer.issue(new_id(), role.name.title(), role, timedelta(hours=1))[0]


def concrete(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    for name, value in {
        "{id}": new_id(), "{slug}": "none", "{channel}": "mastodon", "{name}": "none",
        "{source}": "none", "{external_id}": "1", "{path}": "none", "{revision}": "1",
        "{file}": "1", "{digest}": "0" * 16,
    }.items():  # fmt: skip
        path = path.replace(name, value)
    return method, path


async def test_the_table_has_every_route(stack: Stack) -> None:
    assert stack.host is not None
    assert stack.host.app is not None
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in stack.host.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    tables = [EVERYBODY, *SIGNED_IN.values()]
    listed = [row for table in tables for row in rows(table)]
    assert len(listed) == len(set(listed))
    assert served == set(listed)


def test_the_openapi_document_says_the_same() -> None:
    said: dict[str | None, set[str]] = {None: set(), **{role.name.lower(): set() for role in Role}}
    for path, methods in orjson.loads(COMMITTED.read_bytes())["paths"].items():
        for method, operation in methods.items():
            said[operation.get("x-herald-role")].add(f"{method.upper()} {path}")
    assert said.pop(None) == set(rows(EVERYBODY))
    assert said == {role.name.lower(): set(rows(table)) for role, table in SIGNED_IN.items()}


async def test_every_route_lets_in_whom_the_table_says(stack: Stack) -> None:
    assert stack.ready is not None
    url, wrong, calls = stack.ready.url, [], 0
    tokens = {role: token(role) for role in Role}
    async with aiohttp.ClientSession() as session:

        async def status(route: str, bearer: str | None) -> tuple[int, str | None]:
            nonlocal calls
            calls += 1
            method, path = concrete(route)
            headers = {"If-Match": "*"}
            if bearer is not None:
                headers["Authorization"] = f"Bearer {bearer}"
            body = {} if method in {"POST", "PUT", "PATCH"} else None
            async with session.request(method, url + path, json=body, headers=headers) as answer:
                problem = answer.content_type == "application/problem+json"
                field = (await answer.json(content_type=None)).get("field") if problem else None
                return answer.status, field

        for route in rows(EVERYBODY):
            answered, _ = await status(route, None)
            if answered in {401, 403} or answered >= 500:
                wrong.append(f"{route} as anybody: {answered}")
        for needed, table in SIGNED_IN.items():
            for route in rows(table):
                for bearer in (None, "not-a-token"):
                    if await status(route, bearer) != (401, "Authorization"):
                        wrong.append(f"{route} as nobody")
                for role in Role:
                    bearer = token(role) if route in ENDS_ITSELF else tokens[role]
                    answered, field = await status(route, bearer)
                    refused = answered in {401, 403} and field == "Authorization"
                    if refused != (role < needed) or answered >= 500:
                        wrong.append(f"{route} as {role.name.lower()}: {answered} {field}")
    print(f"\n{calls} calls: every route, nobody, a broken token and {len(Role)} roles")
    assert wrong == [], "\n".join(wrong)
