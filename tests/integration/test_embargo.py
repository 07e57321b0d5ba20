"""An embargoed article reaches nobody before its instant, by no path, whatever is tried; then everybody at once.

Looked for where it could be seen: every public page and document, the networks, inboxes and webhooks, the
databases of all services that publish, and every event that waits or went out.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.standalone.client import ApiError, HeraldClient
from services.standalone.demo.driver import Driver
from services.standalone.demo.receivers import Receivers
from services.standalone.mongod import Mongod
from services.standalone.stack import Options, Stack
from shared.runtime.ids import new_token
from shared.storage.client import open_client

pytestmark = pytest.mark.integration

OUTLETS = ("social", "sitemap", "notifications", "site")
PUBLIC = (
    "/", "/sections/city", "/sections/world", "/feed.xml", "/feed.atom", "/feed.json",
    "/sections/city/feed.xml", "/sitemap.xml", "/news-sitemap.xml", "/robots.txt",
    "/search?q={marker}", "/tags/{marker}", "/articles/{slug}", "/{slug}", "/media/{marker}",
    "/api/v1/articles", "/api/v1/articles?q={marker}", "/api/v1/articles/{id}",
    "/api/v1/articles/{id}/fanout", "/api/v1/articles/{id}/revisions", "/api/v1/trash",
    "/api/v1/calendar", "/api/v1/audit", "/api/v1/deliveries", "/api/v1/openapi.json",
)  # fmt: skip
TRIES = (
    "publish", "schedule", "schedule early", "submit", "return", "edit", "rename", "preview",
    "preview by nobody", "publish by nobody", "correct", "unpublish", "retract", "unschedule",
    "relate", "translate", "trash and back", "publish again", "shorten and lengthen", "import",
    "autosave", "lock", "checklist", "restore",
)  # fmt: skip


class Newsroom:
    """An embedded Herald with somebody listening at every outlet."""

    def __init__(self, stack: Stack, receivers: Receivers, mongod: Mongod) -> None:
        assert stack.ready is not None
        self.stack, self.receivers, self.mongod = stack, receivers, mongod
        self.url = stack.ready.url
        self.client = HeraldClient(self.url, stack.ready.admin_token)
        self.anybody = aiohttp.ClientSession()
        self.public: dict[str, Any] = {}

    async def open(self) -> None:
        await self.client.__aenter__()
        await Driver(self.client, self.receivers, lambda _: None).connect()
        body = {"headline": "The bridge", "body": "Open.", "section": "city", "bylines": ["Ada"]}
        made = await self.client.call(
            "POST", "/api/v1/articles", {**body, "translation_group": "bridge"}
        )
        self.public = await self.client.act(made, "publish")

    async def close(self) -> None:
        await self.client.__aexit__(None, None, None)
        await self.anybody.close()

    async def embargoed(self, until: datetime) -> tuple[dict[str, Any], str]:
        """A draft under embargo, full of a word that is found nowhere else."""
        marker = f"zq{secrets.token_hex(8)}"
        made = await self.client.call(
            "POST",
            "/api/v1/articles",
            {
                "slug": f"about-{marker}",
                "headline": f"About {marker}",
                "standfirst": f"More on {marker}.",
                "summary": f"{marker} in brief.",
                "body": f"What is known of **{marker}**.",
                "section": "city",
                "tags": [marker],
                "bylines": [f"Reporter {marker}"],
                "priority": "breaking",
                "social": {"mastodon": f"{marker}!"},
                "search": {"title": marker},
                "share": {"title": marker},
                "embargo_until": until.isoformat(),
            },
        )
        return made, marker

    async def attempt(self, what: str, article: dict[str, Any], marker: str) -> None:
        """One try; a refusal is as good as anything, a 5xx is not."""
        path = f"/api/v1/articles/{article['id']}"
        far = datetime.now(UTC) + timedelta(days=400)
        bodies: dict[str, tuple[str, str, Any]] = {
            "publish": ("POST", f"{path}/publish", None),
            "publish again": ("POST", f"{path}/publish", None),
            "schedule": ("POST", f"{path}/schedule", {"at": far.isoformat()}),
            "schedule early": (
                "POST",
                f"{path}/schedule",
                {"at": (datetime.now(UTC) + timedelta(milliseconds=300)).isoformat()},
            ),
            "submit": ("POST", f"{path}/submit", None),
            "return": ("POST", f"{path}/return", {"note": "No."}),
            "edit": ("PATCH", path, {"standfirst": f"{marker} again"}),
            "rename": ("PATCH", path, {"slug": f"renamed-{marker}"}),
            "preview": ("POST", f"{path}/preview", None),
            "correct": ("POST", f"{path}/correct", {"text": f"{marker} was nine."}),
            "unpublish": ("POST", f"{path}/unpublish", None),
            "retract": ("POST", f"{path}/retract", {"reason": marker}),
            "unschedule": ("POST", f"{path}/unschedule", None),
            "translate": ("PATCH", path, {"translation_group": "bridge", "language": "pt"}),
            "import": (
                "PUT",
                f"/api/v1/imports/elsewhere/{marker}",
                {
                    "headline": f"Imported {marker}",
                    "body": marker,
                    "section": "city",
                    "bylines": ["Ada"],
                    "status": "published",
                    "published_at": "2020-01-01T00:00:00Z",
                    "embargo_until": article["embargo_until"],
                },
            ),
            "autosave": (
                "PUT",
                f"{path}/autosave",
                {
                    "session": "a",
                    "base_revision": 1,
                    "seq": 1,
                    "content": {"headline": f"{marker} typing"},
                },
            ),
            "lock": ("PUT", f"{path}/lock", {"session": marker}),
            "checklist": ("GET", f"{path}/checklist", None),
            "restore": ("POST", f"{path}/revisions/1/restore", None),
        }
        if what == "relate":
            await self._relate(article)
            return
        if what == "trash and back":
            await self._call("DELETE", path)
            await self._call("POST", f"/api/v1/trash/{article['id']}/restore")
            return
        if what == "shorten and lengthen":
            await self._call("PATCH", path, {"headline": "x"})
            await self._call("PATCH", path, {"headline": f"About {marker}"})
            return
        if what.endswith("by nobody"):
            act = what.partition(" ")[0]
            async with self.anybody.post(f"{self.url}{path}/{act}", json={}) as answer:
                assert answer.status == 401
                assert marker not in await answer.text()
            return
        await self._call(*bodies[what])

    async def _relate(self, article: dict[str, Any]) -> None:
        """A public article names it as related, and goes out again."""
        path = f"/api/v1/articles/{self.public['id']}"
        await self._call("PATCH", path, {"related": [article["id"]], "summary": new_token()})
        await self._call("POST", f"{path}/publish")

    async def _call(self, method: str, path: str, body: Any = None) -> None:
        headers = {"Authorization": f"Bearer {self.client._token}", "If-Match": "*"}
        async with self.anybody.request(
            method, self.url + path, json=body, headers=headers
        ) as answer:
            text = await answer.text()
            assert answer.status < 500, (method, path, text)

    async def traces(self, article: dict[str, Any], marker: str) -> list[str]:
        """Where the article, or its mere id, can be seen from outside."""
        needles = (marker, article["id"])
        found = []
        for name, text in await self._visible(article, marker):
            found += [name for needle in needles if needle in text]
        return found

    async def _visible(self, article: dict[str, Any], marker: str) -> list[tuple[str, str]]:
        seen = []
        paths = [
            one.format(marker=marker, slug=slug, id=article["id"])
            for one in PUBLIC
            for slug in (f"about-{marker}", f"renamed-{marker}")
        ]
        for path in dict.fromkeys(paths):
            async with self.anybody.get(self.url + path, allow_redirects=False) as answer:
                text = await answer.text()
                echoed = text.replace(path, "")  # a problem may repeat what was asked
                seen.append((path, echoed if answer.status == 404 else text))
                if "<loc>" in text and path == "/sitemap.xml":
                    for child in re.findall(r"<loc>(.*?)</loc>", text):
                        async with self.anybody.get(child) as document:
                            seen.append((child, await document.text()))
        async with self.anybody.get(f"{self.receivers.sandbox_url}/received") as answer:
            seen.append(("networks", await answer.text()))
        seen += [("mail", mail.message.as_string()) for mail in self.receivers.mails]
        seen += [("webhook", orjson.dumps(hook.data).decode()) for hook in self.receivers.hooks]
        async with open_client(self.mongod.url) as databases:
            for service in OUTLETS:
                database = databases(f"{self.stack.prefix}_{service}")
                for name in await database.collection_names():
                    documents = await database[name].find({})
                    seen += [(f"{service}.{name}", repr(one)) for one in documents]
            publishing = databases(f"{self.stack.prefix}_publishing")
            for one in await publishing["articles"].find({}, {"outbox": 1, "live": 1}):
                seen.append(("events", repr([one.get("outbox"), one.get("live")])))
            seen += [("board", repr(one)) for one in await publishing["fanout"].find({})]
        own = re.compile(f"'_id': '{article['id']}'")
        return [(name, own.sub("", text)) for name, text in seen]


@pytest.fixture
def room(mongod: Mongod, tmp_path: Path) -> Iterator[tuple[asyncio.Runner, Newsroom]]:
    async def open_room(resources: AsyncExitStack) -> Newsroom:
        receivers = await resources.enter_async_context(Receivers())
        options = Options(
            data=tmp_path / "data",
            port=0,
            sandbox_port=None,
            mongo_url=mongod.url,
            settings={
                "mongo_prefix": f"embargo_{new_token()[:8]}",
                "smtp_url": receivers.smtp_url,
            },
        )
        stack = await resources.enter_async_context(Stack(options))
        newsroom = Newsroom(stack, receivers, mongod)
        resources.push_async_callback(newsroom.close)
        await newsroom.open()
        return newsroom

    with asyncio.Runner() as runner:
        resources = AsyncExitStack()
        try:
            yield runner, runner.run(open_room(resources))
        finally:
            runner.run(resources.aclose())


def test_nothing_leaks_whatever_is_tried(room: tuple[asyncio.Runner, Newsroom]) -> None:
    runner, newsroom = room

    @hypothesis_settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.sampled_from(TRIES), min_size=3, max_size=10))
    @example(list(TRIES))
    @example(list(TRIES[::-1]))
    def leaks_nothing(tries: list[str]) -> None:
        async def one() -> None:
            until = datetime.now(UTC) + timedelta(days=365)
            article, marker = await newsroom.embargoed(until)
            for what in tries:
                await newsroom.attempt(what, article, marker)
            await asyncio.sleep(0.15)  # what was let out would be on its way
            assert await newsroom.traces(article, marker) == []

        runner.run(one())

    leaks_nothing()


def test_at_its_instant_it_is_everywhere(room: tuple[asyncio.Runner, Newsroom]) -> None:
    runner, newsroom = room

    async def lifts() -> None:
        until = (datetime.now(UTC) + timedelta(seconds=4)).replace(microsecond=0)
        article, marker = await newsroom.embargoed(until)
        waiting = await newsroom.client.act(article, "publish")
        assert waiting["status"] == "scheduled"
        assert await newsroom.traces(article, marker) == []
        left = (until - datetime.now(UTC)).total_seconds()
        assert left > 0.5, "looking took too long to say anything about the time before"
        await asyncio.sleep(left - 0.1)
        async with newsroom.anybody.get(f"{newsroom.url}/articles/about-{marker}") as page:
            early = (page.status, datetime.now(UTC))
        assert early[1] >= until or early[0] == 404
        public = {"status": "scheduled"}
        while public["status"] == "scheduled":
            assert datetime.now(UTC) < until + timedelta(seconds=10)
            await asyncio.sleep(0.05)
            public = await newsroom.client.call("GET", f"/api/v1/articles/{article['id']}")
        async for board in newsroom.client.boards(article["id"], timeout_seconds=30):
            settled = board["settled"]
        assert settled
        published_at = datetime.fromisoformat(public["published_at"])
        print(f"\npublished {(published_at - until).total_seconds():.3f} s after the embargo's end")
        assert timedelta(0) <= published_at - until <= timedelta(seconds=1)
        places = set(await newsroom.traces(article, marker))
        expected = {"/", "/feed.xml", "/news-sitemap.xml", "networks", "mail", "webhook"}
        assert expected <= places

    try:
        runner.run(lifts())
    except ApiError as error:  # said in words by the service, not as a traceback of the client
        pytest.fail(str(error))
