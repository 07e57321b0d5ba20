"""1,000 bad requests over every route of every service: each a 4xx problem that names the field, nothing stored."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from yarl import URL

from services.standalone.client import HeraldClient
from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.runtime.ids import new_id, new_token
from shared.storage.client import open_client

REQUESTS = 1000
SEED = 20261123
SNAPSHOT = {
    "article": {
        "id": "01890000-0000-7000-8000-000000000000",
        "slug": "a",
        "url": "https://news.example/articles/a",
        "headline": "A headline",
        "body": "Text.",
        "body_html": "<p>Text.</p>",
        "section": "city",
        "language": "en",
        "status": "published",
        "revision": 1,
        "publication": 1,
        "published_at": "2026-11-23T09:30:00Z",
        "updated_at": "2026-11-23T09:30:00Z",
    },
    "acted_at": "2026-11-23T09:30:00Z",
}
JSON = {"Content-Type": "application/json", "Accept": "application/problem+json"}

VALID: dict[str, dict[str, Any]] = {
    "POST /api/v1/articles": {
        "headline": "A headline",
        "body": "Text.",
        "section": "city",
        "bylines": ["Ana"],
        "language": "en",
        "tags": ["one"],
        "access": "free",
        "priority": "normal",
        "noindex": False,
        "social": {"mastodon": "text"},
        "skip_outlets": ["email"],
        "canonical_url": "https://example.org/a",
        "embargo_until": "2030-01-01T00:00:00Z",
        "lead_image": {"media_id": "a" * 32, "alt": "words"},
        "images": [{"media_id": "b" * 32, "alt": "words"}],
        "direction": "ltr",
        "search": {"title": "T"},
        "share": {"title": "T"},
        "related": ["01890000-0000-7000-8000-000000000000"],
        "translation_group": "bridge",
    },
    "PATCH /api/v1/articles/{id}": {"headline": "Another"},
    "POST /api/v1/articles/{id}/correct": {"kind": "correction", "text": "It was nine."},
    "POST /api/v1/articles/{id}/retract": {"reason": "Not so."},
    "POST /api/v1/articles/{id}/return": {"note": "Who says so?"},
    "POST /api/v1/articles/{id}/schedule": {"at": "2031-01-01T06:00:00Z"},
    "POST /api/v1/authors": {
        "slug": "ada-quill",
        "name": "Ada Quill",
        "role": "Reporter",
        "bio": "Writes.",
        "portrait": {"media_id": "a" * 32, "alt": "Ada"},
        "links": [{"name": "Mastodon", "url": "https://social.example/@ada"}],
        "url": "https://ada.example",
    },
    "PATCH /api/v1/authors/{slug}": {"name": "Ada Q. Quill"},
    "POST /api/v1/articles/{id}/preview": {
        "act": "correct",
        "changes": {"headline": "Another"},
        "correction": {"kind": "correction", "text": "It was nine."},
    },
    "POST /api/v1/previews/notifications": SNAPSHOT,
    "POST /api/v1/previews/site": SNAPSHOT,
    "POST /api/v1/previews/sitemap": SNAPSHOT,
    "POST /api/v1/previews/social": SNAPSHOT,
    "PUT /api/v1/articles/{id}/lock": {"session": "a", "take_over": False},
    "PUT /api/v1/articles/{id}/autosave": {
        "session": "a",
        "seq": 1,
        "base_revision": 1,
        "content": {"headline": "half ty"},
    },
    "POST /api/v1/sessions": {"email": "a@b.example", "password": "wrong password here"},
    "POST /api/v1/users": {
        "email": "x@y.example",
        "name": "X",
        "role": "editor",
        "password": "a long enough one",
    },
    "POST /api/v1/tokens": {"name": "t", "days": 3, "scopes": ["articles:read"]},
    "POST /api/v1/sessions/end-all": {"keep_current": True},
    "PUT /api/v1/me/password": {"current": "wrong password here", "new": "a long enough one"},
    "POST /api/v1/me/totp": {"password": "wrong password here"},
    "POST /api/v1/me/totp/confirm": {"code": "000000"},
    "DELETE /api/v1/me/totp": {"password": "wrong password here", "code": "000000"},
    "POST /api/v1/channels": {"channel": "mastodon", "name": "x", "settings": {}},
    "PUT /api/v1/channels/oauth/apps/{channel}": {"client_id": "c", "client_secret": "s"},
    "POST /api/v1/channels/oauth": {"channel": "x", "name": "x", "settings": {}},
    "POST /api/v1/channels/oauth/connections/{id}": {"choice": "1"},
    "POST /api/v1/channels/pause": {"reason": "r"},
    "POST /api/v1/channels/{channel}/{name}/pause": {"reason": "r"},
    "PUT /api/v1/channels/{channel}/{name}/policy": {"minor": "nothing", "correction": "repost"},
    "POST /api/v1/deliveries/{id}/resolve": {"outcome": "happened"},
    "POST /api/v1/notifications/deliveries/{id}/resolve": {"outcome": "happened"},
    "POST /api/v1/subscriptions": {"email": "r@readers.example", "lists": ["alerts"]},
    "POST /api/v1/subscribers": {
        "email": "r@readers.example",
        "lists": ["alerts"],
        "confirmed": True,
        "consent": "paper form",
    },
    "POST /api/v1/webhooks": {"name": "w", "url": "https://example.org/hook"},
    "POST /api/v1/inbound-sources": {
        "name": "old.example",
        "kind": "ghost",
        "default_section": "city",
        "section_map": {"a": "city"},
        "auto_publish": True,
        "language": "en",
    },
    "PUT /api/v1/imports/{source}/{external_id}": {
        "headline": "A headline",
        "body": "Text.",
        "section": "city",
        "bylines": ["Ana"],
        "status": "published",
        "published_at": "2019-01-01T00:00:00Z",
        "updated_at": "2019-01-02T00:00:00Z",
        "former_paths": ["/2019/01/name/"],
        "redirects": ["old-name"],
        "corrections": [{"at": "2019-01-02T00:00:00Z", "kind": "correction", "text": "Nine."}],
        "pending": {"headline": "Another"},
    },
}
"""A body each route would take; every bad one is this with one thing wrong."""

NULLABLE = {
    *("canonical_url", "default_section", "direction", "embargo_until", "language", "lead_image"),
    *("pending", "portrait", "role", "bio", "search", "section", "share", "translation_group"),
    *("updated_at", "url"),
}
"""Fields that may say that there is nothing."""

PUBLIC = {"POST /api/v1/subscriptions", "POST /api/v1/sessions", "POST /api/v1/inbound/{source}"}
"""Anybody may call these, so a missing identity is nothing wrong."""
WRONG: list[Any] = [
    None,
    [],
    {},
    [[]],
    {"a": {"b": []}},
    3.5,
    -1,
    2**70,
    "",
    "\x00",
    "nul\x00inside",
    "x" * 600_000,
    "\ud7ff\u202e",
    True,
    ["", "\x00"],
    [None],
]
BAD_IDS = ["nope", "..%2f..%2fetc", "%00", "0" * 36, "x" * 300, "%E2%82%AC", "a%20b", "-1", "null"]
BAD_QUERIES = ["limit=0", "limit=1e3", "limit=-5", "limit=", "nope=1", "limit=5&limit=6", "cursor="]


@pytest.fixture
async def stack(mongod: Mongod, tmp_path: Path) -> AsyncIterator[Stack]:
    prefix = f"bad_{new_token()[:8]}"
    options = Options(
        data=tmp_path / "data",
        port=0,
        sandbox_port=None,
        mongo_url=mongod.url,
        settings={"mongo_prefix": prefix},
    )
    async with Stack(options) as running:
        yield running


def _routes(stack: Stack) -> list[tuple[str, str]]:
    assert stack.host is not None
    assert stack.host.app is not None
    found = {
        (route.method, route.resource.canonical)
        for route in stack.host.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    return sorted(found)


def _wrong_for(field: str, good: Any, chance: random.Random) -> Any:
    """Something that the field can never take in the place of `good`."""
    while True:
        bad = chance.choice(WRONG)
        if bad is None and field in NULLABLE:
            continue
        if bad is None and not isinstance(good, str | bool | list | dict):
            continue
        if isinstance(good, str) and isinstance(bad, str) and "\x00" not in bad:
            bad = "\x00" + bad
        if type(bad) is type(good) and isinstance(bad, list) and bad == []:
            continue
        if isinstance(good, dict) and bad == {}:
            continue
        if isinstance(good, bool) and isinstance(bad, bool):
            continue
        if isinstance(good, int) and not isinstance(good, bool) and bad is True:
            continue
        return bad


def _bad_request(
    method: str, route: str, number: int, chance: random.Random
) -> tuple[str, bytes | None, dict[str, str], str]:
    """Path with query, body, headers, and what is wrong with it."""
    path, headers, body, wrong = route, dict(JSON), None, ""
    for name in ("{id}", "{article_id}", "{token_id}", "{user_id}"):
        path = path.replace(name, new_id())
    path = path.replace("{channel}", "mastodon").replace("{name}", "none").replace("{slug}", "none")
    path = path.replace("{source}", "old").replace("{external_id}", "1")
    key = f"{method} {route}"
    kinds = [] if key in PUBLIC else ["anonymous", "broken token"]
    if kinds and number >= len(kinds) and (key in VALID or "{" in route):
        kinds = []  # both were tried; from here on the input itself is what is wrong
    if "{" in route:
        kinds.append("path")
    if key in VALID:
        kinds += [
            "field",
            "field",
            "field",
            "extra",
            "not json",
            "not object",
            "media type",
            "nothing",
        ]
    if method == "GET" and route.startswith("/api/v1/") and route.count("/") == 3:
        kinds += ["query", "query"]
    wrong = kinds[number % len(kinds)]
    if wrong == "anonymous":
        headers["Authorization"] = ""
    elif wrong == "broken token":
        headers["Authorization"] = "Bearer " + chance.choice(["x", "a.b.c", "é", "." * 50])
    elif wrong == "path":
        path = route
        for name in (
            "{id}",
            "{article_id}",
            "{token_id}",
            "{user_id}",
            "{channel}",
            "{name}",
            "{slug}",
            "{path}",
        ):
            path = path.replace(name, chance.choice(BAD_IDS))
    elif wrong == "query":
        path += "?" + chance.choice(BAD_QUERIES)
    if key in VALID:
        document = dict(VALID[key])
        if wrong == "field":
            field = chance.choice(sorted(document))
            document[field] = _wrong_for(field, document[field], chance)
            wrong = f"field {field}={str(document[field])[:30]!r}"
        elif wrong == "extra":
            document["no_such_field"] = 1
        # json, unlike orjson, writes numbers beyond 64 bits, which is what is sent here on purpose.
        body = b'{"a": ' if wrong == "not json" else json.dumps(document).encode()
        if wrong == "not object":
            body = chance.choice([b"[]", b"3", b'"x"', b"null"])
        elif wrong == "nothing":
            body = b""
        elif wrong == "media type":
            headers["Content-Type"] = "text/plain"
    elif method not in {"GET", "HEAD"}:
        body = b"{}"
    return path, body, headers, wrong


async def _census(stack: Stack, mongod: Mongod) -> dict[str, int]:
    """How many documents each collection holds, what tells of refusals aside."""
    assert stack.host is not None
    counts: dict[str, int] = {}
    prefix = stack.prefix
    async with open_client(mongod.url) as databases:
        for service in ("publishing", "social", "sitemap", "notifications", "site"):
            database = databases(f"{prefix}_{service}")
            for name in await database.collection_names():
                if name not in {"throttle", "signins"}:
                    told = {"act": {"$not": {"$regex": "[.]refuse$"}}}
                    counts[f"{service}.{name}"] = await database[name].count(told)
    return counts


async def test_a_thousand_bad_requests(stack: Stack, mongod: Mongod) -> None:
    chance = random.Random(SEED)
    assert stack.ready is not None
    pages = {"/", "/healthz", "/readyz", "/metrics", "/news-sitemap.xml", "/sitemap.xml"}
    pages |= {"/robots.txt", "/feed.xml", "/api/v1/docs", "/api/v1/openapi.json"}
    routes = [
        route for route in _routes(stack) if route[1] not in pages and "assets" not in route[1]
    ]
    before = await _census(stack, mongod)
    answers: Counter[int] = Counter()
    wrongs: list[str] = []
    tried: Counter[str] = Counter()
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {stack.ready.admin_token}"}
    ) as session:
        number = 0
        while sum(answers.values()) < REQUESTS:
            method, route = routes[number % len(routes)]
            path, body, headers, wrong = _bad_request(method, route, number // len(routes), chance)
            number += 1
            headers = {
                name: value for name, value in headers.items() if value or name == "Authorization"
            }
            url = URL(stack.ready.url + path, encoded=True)
            async with session.request(method, url, data=body, headers=headers) as answer:
                raw = await answer.read()
            public = not route.startswith("/api/v1/") or "subscriptions" in route
            if public and wrong in {"anonymous", "broken token"} and answer.status < 400:
                continue  # a public route has no identity to get wrong
            answers[answer.status] += 1
            tried[f"{method} {route}"] += 1
            named = _field_of(raw)
            if not 400 <= answer.status < 500 or not named:
                wrongs.append(f"{method} {path[:80]} ({wrong}): {answer.status} {raw[:160]!r}")
    print(
        f"\n{sum(answers.values())} bad requests over {len(tried)} routes: {dict(sorted(answers.items()))}"
    )
    assert wrongs == [], "\n".join(wrongs)
    assert await _census(stack, mongod) == before
    async with HeraldClient(stack.ready.url, stack.ready.admin_token) as client:
        assert (await client.call("GET", "/api/v1/me"))["role"] == "admin"


def _field_of(raw: bytes) -> str | None:
    try:
        problem = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    field = problem.get("field") if isinstance(problem, dict) else None
    return field if isinstance(field, str) else None
