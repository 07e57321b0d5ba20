"""Previews of article pages: the bytes that the address then serves, and nothing put in place before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import orjson
import pytest

from shared.contracts.articles import Article, Correction, Retraction, Status
from shared.contracts.identity import Role
from shared.runtime.clock import ManualClock
from shared.runtime.keys import KeyRing
from shared.storage.client import Database
from shared.web.app import MAX_BODY_BYTES
from shared.web.identity import Identities
from shared.web.previews import MAX_SNAPSHOT_BYTES

ROUTE = "/api/v1/previews/site"
Make = Callable[..., Article]


class Asker:
    """A contributor at the route."""

    def __init__(self, replica: Any, clock: ManualClock) -> None:
        self._client = replica.client
        identities = Identities(KeyRing("s" * 32), clock)
        token, _, _ = identities.issue("u", "Una", Role.CONTRIBUTOR, timedelta(hours=1))
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._clock = clock

    async def send(self, body: bytes) -> tuple[int, dict[str, Any]]:
        async with self._client.post(ROUTE, data=BytesIO(body), headers=self._headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def ask(self, article: Article) -> dict[str, Any]:
        at = self._clock.now().isoformat()
        body = f'{{"article": {article.model_dump_json()}, "acted_at": "{at}"}}'
        status, shown = await self.send(body.encode())
        assert status == 200, shown
        [line] = shown["outlets"]
        assert isinstance(line, dict)
        return line


@pytest.fixture
def asker(replica: Any, clock: ManualClock) -> Asker:
    return Asker(replica, clock)


async def test_each_page_is_served_as_it_was_shown(
    replica: Any, asker: Asker, make_article: Make, clock: ManualClock, database: Database
) -> None:
    notice = Correction(at=clock.now(), kind="correction", text="Twelve, not nine.")
    back = Retraction(at=clock.now(), reason="None of it happened.")
    steps: list[tuple[dict[str, Any], int, str]] = [
        ({}, 200, "include"),
        (
            {"corrections": (notice,), "slug": "renamed", "redirects": ("harbour-opens",)},
            200,
            "edit",
        ),
        ({"slug": "renamed", "status": Status.RETRACTED, "retraction": back}, 410, "remove"),
    ]
    for number, (changes, status, operation) in enumerate(steps, 1):
        article = make_article(revision=number, **changes)
        names = await database.collection_names()
        before = {name: await database[name].find({}) for name in names}
        line = await asker.ask(article)
        assert {name: await database[name].find({}) for name in names} == before
        assert (line["status"], line["operation"]) == (status, operation)
        assert line["redirects"] == list(article.redirects)
        await replica.handle(article)
        served = await replica.get(line["url"].removeprefix("https://news.example"))
        assert (served.status, await served.text()) == (status, line["html"])


async def test_an_unpublished_article_shows_what_readers_get(
    replica: Any, asker: Asker, make_article: Make
) -> None:
    await replica.handle(make_article())
    line = await asker.ask(make_article(revision=2, status=Status.UNPUBLISHED))
    assert (line["status"], line["operation"]) == (404, "remove")
    assert line["html"] == await replica.text("/articles/nothing-here")
    never = await asker.ask(make_article(id="b", slug="b", status=Status.UNPUBLISHED))
    assert (never["operation"], never["reason"]) == ("none", "the article is not on the site")


async def test_a_snapshot_may_be_longer_than_other_bodies_but_not_endless(
    asker: Asker, make_article: Make
) -> None:
    html = "<p>" + "x" * (2 * MAX_BODY_BYTES) + "</p>"
    assert html in (await asker.ask(make_article(body_html=html)))["html"]
    status, problem = await asker.send(b'{"article": "' + b"x" * MAX_SNAPSHOT_BYTES + b'"}')
    assert (status, problem["field"]) == (413, "body")
    many = b'{"article": [' + b"0," * 200_000 + b"0]}"
    status, problem = await asker.send(many)
    assert (status, problem["field"]) == (422, "body")


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "x-not-a-language!"},
        {"url": "http://[::1"},
        {"canonical_url": "javascript:alert(1)"},
        {"published_at": "0001-01-01T00:00:00Z"},
        {"published_at": "9999-12-31T23:59:59Z"},
        {"section": "<script>"},
        {"bylines": [{"name": "", "url": "//"}]},
        {"lead_image": {"media_id": "", "alt": ""}},
        {"status": "scheduled"},
    ],
)
async def test_an_odd_snapshot_is_shown_or_refused_and_never_our_error(
    asker: Asker, make_article: Make, clock: ManualClock, changes: dict[str, Any]
) -> None:
    article = make_article().model_dump(mode="json") | changes
    body = orjson.dumps({"article": article, "acted_at": clock.now().isoformat()})
    status, answer = await asker.send(body)
    assert status in {200, 422}, answer
    if status == 200:
        assert "javascript:" not in answer["outlets"][0]["html"]
    else:
        assert answer["field"] == "article"
