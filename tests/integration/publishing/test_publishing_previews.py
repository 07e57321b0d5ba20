"""The preview is of the very snapshot that is sent, leaves no trace, and answers when services do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.publishing import app as publishing
from services.publishing.asking import Asker
from services.publishing.settings import PublishingSettings
from services.standalone.stack import DEFAULT_PUBLICATION
from shared.web.previews import Snapshot
from shared.web.requests import read_json

pytestmark = pytest.mark.integration

ALL = ("notifications", "site", "sitemap", "social")


@dataclass
class Services:
    """Stand-ins for the four services: each keeps what it was asked and answers one line."""

    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    callers: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    together: asyncio.Barrier | None = None
    server: TestServer | None = None
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        self.snapshots[service] = await read_json(request, Snapshot)
        self.callers.add(request.headers["Authorization"])
        if self.together:
            await self.together.wait()
        match self.broken.get(service):
            case "hangs":
                await asyncio.sleep(30)
            case "fails":
                return web.Response(status=503, body=b'{"detail": "The database is away"}')
            case "lies":
                return web.json_response({"outlets": "none"})
            case "leads away":
                raise web.HTTPFound("http://127.0.0.1:1/")
        line = {"outlet": f"{service}/x", "operation": "post", "payload": {"empty": None}}
        return web.json_response({"outlets": [line]})


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    found, app = Services(), web.Application()
    app.router.add_post("/api/v1/previews/{service}", found.answer)
    async with TestServer(app) as server:
        found.server = server
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@pytest.fixture
def settings(services: Services, monkeypatch: pytest.MonkeyPatch) -> PublishingSettings:
    monkeypatch.setattr(publishing, "Asker", partial(Asker, seconds=0.3))
    return PublishingSettings(
        secret_key="a secret of more than thirty-two characters",
        public_url="https://news.example",
        internal_url=services.url,
        publication=Path(DEFAULT_PUBLICATION),
    )


async def preview(desk: Any, article: Any, body: Any = None, **more: Any) -> Any:
    path = f"/api/v1/articles/{article['id']}/preview"
    status, shown, headers = await desk.call("POST", path, body, role="contributor", **more)
    assert status != 200 or headers["Cache-Control"] == "no-store"
    return status, shown


async def everything(desk: Any) -> dict[str, list[Any]]:
    """Every document there is."""
    names = await desk.database.collection_names()
    return {name: await desk.database[name].find({}, sort=[("_id", 1)]) for name in names}


async def last_event(desk: Any) -> Any:
    await desk.relayed()
    return desk.bus.sent[-1].data


async def test_every_service_is_asked_at_once_in_the_callers_name(
    desk: Any, services: Services
) -> None:
    article = await desk.article()
    services.together = asyncio.Barrier(4)
    status, shown = await preview(desk, article)
    assert status == 200
    assert services.callers == {f"Bearer {desk.tokens['contributor']}"}
    assert {line["service"] for line in shown["outlets"]} == set(ALL)
    assert shown["outlets"][0]["payload"] == {"empty": None}  # what is null is shown, too
    assert (shown["act"], shown["revision"], shown["blocking"]) == ("publish", 1, {})
    assert shown["unavailable"] == []
    assert shown["url"] == "https://news.example/articles/harbour-bridge-reopens"
    assert shown["published_at"] == shown["acted_at"] == "2026-11-23T09:30:00.000Z"


async def test_the_snapshot_is_the_one_that_each_act_sends(desk: Any, services: Services) -> None:
    other = await desk.published(headline="The old bridge")
    await last_event(desk)
    profile = {"slug": "ada-quill", "name": "Ada Quill"}
    assert (await desk.call("POST", "/api/v1/authors", profile, role="chief"))[0] == 201
    article = await desk.article(
        priority="breaking",
        tags=["bridge"],
        bylines=[{"author": "ada-quill"}],
        related=[other["id"]],
    )
    steps: list[tuple[str, Any, Any]] = [
        ("publish", {}, None),
        ("correct", {"correction": {"text": "Tuesday."}}, {"text": "Tuesday."}),
        ("unpublish", {}, None),
        ("publish", {}, None),
        ("retract", {"reason": "All false."}, {"reason": "All false."}),
    ]
    for act, more, body in steps:
        desk.clock.advance(60)
        status, shown = await preview(desk, article, {"act": act, **more})
        assert (status, shown["blocking"]) == (200, {})
        await desk.act(article["id"], act, body)
        sent = await last_event(desk)
        assert (sent.article.related, sent.article.bylines[0].name) == ((other["id"],), "Ada Quill")
        for service in ALL:
            assert services.snapshots[service].article == sent.article, act
            assert services.snapshots[service].acted_at == sent.acted_at


async def test_unsaved_changes_are_shown_as_saved_and_then_published(
    desk: Any, services: Services
) -> None:
    article = await desk.article()
    changes = {"headline": "The bridge stays shut", "body": "It *stays* shut.", "tags": ["bridge"]}
    before = await everything(desk)
    status, shown = await preview(desk, article, {"changes": changes})
    assert (status, shown["revision"]) == (200, 1)
    assert shown["url"] == "https://news.example/articles/the-bridge-stays-shut"
    assert await everything(desk) == before
    await desk.call("PATCH", f"/api/v1/articles/{article['id']}", changes, match=1)
    await desk.act(article["id"], "publish")
    assert services.snapshots["site"].article == (await last_event(desk)).article


async def test_the_same_values_again_are_no_change(desk: Any, services: Services) -> None:
    article = await desk.article()
    await preview(desk, article, {"changes": {"headline": article["headline"]}})
    assert services.snapshots["site"].article.revision == 2


async def test_a_preview_leaves_no_trace_whatever_is_asked(desk: Any) -> None:
    draft, public = await desk.article(), await desk.published(headline="Other")
    before = await everything(desk)
    for article, body in (
        (draft, None),
        (draft, {"changes": {"slug": "another-one"}}),
        (draft, {"changes": {"headline": "Other"}}),
        (public, {"changes": {"headline": "Changed"}}),
        (public, {"act": "correct", "correction": {"text": "So."}}),
        (public, {"act": "retract", "reason": "So."}),
        (public, {"act": "unpublish"}),
    ):
        status, _ = await preview(desk, article, body)
        assert status == 200
    assert await everything(desk) == before


async def test_what_is_missing_is_told_and_stops_nothing(desk: Any, services: Services) -> None:
    status, draft, _ = await desk.call("POST", "/api/v1/articles", {"body": "Only this."})
    assert status == 201
    status, shown = await preview(desk, draft)
    assert status == 200
    assert set(shown["blocking"]) == {"headline", "section", "bylines"}
    assert services.snapshots["site"].article.body_html == "<p>Only this.</p>\n"
    held = await desk.article(embargo_until="2026-12-24T00:00:00Z")
    assert "embargo_until" in (await preview(desk, held))[1]["blocking"]
    public = await desk.published(headline="Out already")
    status, shown = await preview(desk, public)
    assert status == 200
    assert set(shown["blocking"]) == {"status"}


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"changes": {"headline": ""}}, 422, "changes.headline"),
        ({"changes": {"section": "nowhere"}}, 422, "changes.section"),
        ({"changes": {"lead_image": {"media_id": "a" * 32}}}, 422, "changes.lead_image.media_id"),
        ({"changes": {"nope": 1}}, 422, "changes.nope"),
        ({"changes": {"slug": "taken-one"}}, 409, "changes.slug"),
        ({"act": "burn"}, 422, "act"),
        ({"act": "correct"}, 422, "correction"),
        ({"act": "correct", "correction": {"text": ""}}, 422, "correction.text"),
        ({"act": "retract"}, 422, "reason"),
        ({"correction": {"text": "x"}}, 422, "correction"),
        ({"reason": "x"}, 422, "reason"),
        ({"act": "correct", "correction": {"text": "x"}}, 409, "status"),
        ({"act": "retract", "reason": "x"}, 409, "status"),
        ({"act": "unpublish"}, 409, "status"),
        ({"nope": 1}, 422, "nope"),
    ],
)
async def test_what_cannot_be_previewed_names_the_field(
    desk: Any, services: Services, body: Any, status: int, named: str
) -> None:
    await desk.published(headline="Taken", slug="taken-one")
    draft = await desk.article()
    answered, problem = await preview(desk, draft, body)
    assert (answered, problem["field"]) == (status, named)
    assert services.snapshots == {}


async def test_services_that_do_not_answer_are_named_and_the_others_shown(
    desk: Any, services: Services
) -> None:
    services.broken = {"social": "hangs", "sitemap": "fails", "notifications": "leads away"}
    article = await desk.article()
    status, shown = await preview(desk, article)
    assert status == 200
    assert [line["outlet"] for line in shown["outlets"]] == ["site/x"]
    assert {one["service"]: one["error"] for one in shown["unavailable"]} == {
        "social": "no answer within 0.3 seconds",
        "sitemap": "answers 503: The database is away",
        "notifications": "answers 302: without a reason",
    }
    services.broken = {"site": "lies"}
    _, shown = await preview(desk, article)
    assert shown["unavailable"] == [
        {"service": "site", "error": "answers something else than a preview"}
    ]


async def test_there_is_nothing_to_preview_of_no_article(desk: Any) -> None:
    status, problem = await preview(desk, {"id": "01890000-0000-7000-8000-000000000000"})
    assert (status, problem["field"]) == (404, "id")


async def test_an_origin_that_nobody_listens_at(desk: Any, services: Services) -> None:
    article = await desk.article()
    assert services.server is not None
    await services.server.close()
    status, shown = await preview(desk, article)
    assert (status, shown["outlets"]) == (200, [])
    assert {one["service"] for one in shown["unavailable"]} == set(ALL)
    assert all(one["error"].startswith("cannot be reached") for one in shown["unavailable"])
