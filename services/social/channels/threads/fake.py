"""A strict stand-in for the Threads API with one profile; it refuses what the real one refuses.

Must never leave the loopback interface and never forget a post it showed, deleted or not.
"""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from services.social.channels.base import VisiblePost
from services.social.channels.faults import CLOSING
from services.social.channels.threads import fake_rules as rules
from services.social.channels.threads.fake_faults import Faults, said
from services.social.channels.threads.fake_oauth import Authorisations
from services.social.channels.threads.fake_rules import LIFE, Refusal, Usage
from services.social.channels.threads.fake_store import (
    USER_ID,
    USERNAME,
    Container,
    Store,
    post_json,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN = "sandbox-threads-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
MOST_PER_PAGE = 100
FETCH = aiohttp.ClientTimeout(total=5)
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
API = "/{version:v[0-9]+\\.[0-9]}"
EARLIEST = 1_688_540_400
"""The network takes no `since` before this second, its own beginning."""


class ThreadsFake:
    """See the module. It fetches images as the network does, from loopback addresses only.

    `hourly` is how many calls an app may make in an hour, `quota` and `reply_quota` how many posts and
    replies may be published in 24 hours, `processing` how many polls a container takes.
    """

    name = "threads"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        hourly: int = 1_000_000,
        quota: int = 100_000,
        reply_quota: int = 100_000,
        processing: int = 0,
    ) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.oauth = Authorisations(clock, USER_ID)
        self.processing = processing
        self._clock = clock
        self._usage = Usage(hourly)
        self._quotas = {False: quota, True: reply_quota}
        self._store = Store()

    def account(self, base_url: str) -> dict[str, Any]:
        return {"server": base_url, "user_id": USER_ID, "access_token": self.token}

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        return self._store.as_seen()

    def react(self, post_id: str, **counts: int) -> None:
        self._store.reactions.add(post_id, **counts)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        user = f"{API}/{USER_ID}"
        app.add_routes(
            [
                *self.oauth.routes(),
                web.get(f"{API}/me", self._about),
                web.get(user, self._about),
                web.get(f"{user}/threads", self._list),
                web.get(f"{user}/replies", self._list),
                web.post(f"{user}/threads", self._take_in),
                web.post(f"{user}/threads_publish", self._publish),
                web.get(f"{user}/threads_publishing_limit", self._limit),
                web.get(f"{API}/{{node}}/insights", self._insights),
                web.get(f"{API}/{{node}}", self._show),
                web.delete(f"{API}/{{node}}", self._delete),
                web.get("/images/{id}", self._file),
                web.get(f"/@{USERNAME}/post/{{id}}", self._page),
            ]
        )
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The app's calls, then the token, then the act; refusals in the network's JSON."""
        if "version" not in request.match_info:
            return await handler(request)
        allowed = self._usage.hit(self._clock().timestamp())
        try:
            if not allowed:
                raise Refusal(4, "Application request limit reached")
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            right = self.oauth.opens(token) or secrets.compare_digest(
                token.encode(), self.token.encode()
            )
            if scheme != "Bearer" or not right:
                words = "Invalid OAuth access token - Cannot parse access token"
                raise Refusal(190, words, status=401)
            answer = await handler(request)
        except Refusal as refusal:
            answer = said(refusal.status, refusal.code, str(refusal), subcode=refusal.subcode)
        answer.headers.setdefault("X-App-Usage", self._usage.header())
        return answer

    async def _about(self, _: web.Request) -> web.Response:
        return web.json_response({"id": USER_ID, "username": USERNAME})

    async def _limit(self, request: web.Request) -> web.Response:
        since, seconds = self._clock() - LIFE, int(LIFE.total_seconds())
        told: dict[str, Any] = {}
        for replies, prefix in ((False, ""), (True, "reply_")):
            used = self._store.published_since(since, replies=replies)
            total = self._quotas[replies]
            told[f"{prefix}quota_usage"] = used
            told[f"{prefix}config"] = {"quota_total": total, "quota_duration": seconds}
        wanted = _fields(request)
        return web.json_response({"data": [{name: told[name] for name in told if name in wanted}]})

    async def _take_in(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("container:"):
            return early
        content = rules.checked_container(await request.post())
        if content.reply_to is not None:
            self._store.live(content.reply_to)
        new_id = self._store.next_id()
        container = Container(new_id, content, self._clock(), self.processing)
        if content.image_url:
            container.data = await _fetched(content.image_url)
            if container.data is None:
                container.error = "FAILED_DOWNLOADING_IMAGE"
            else:
                container.error = await asyncio.to_thread(rules.image_error, container.data)
        self._store.containers[new_id] = container
        return await self._faults.after(request, "container:", web.json_response({"id": new_id}))

    async def _publish(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        now = self._clock()
        container = self._store.containers.get(str((await request.post()).get("creation_id", "")))
        if container is None:
            raise Refusal(24, "The requested resource does not exist", subcode=4_279_009)
        if container.published:
            raise Refusal(100, "The container has been published already")
        if container.status(now) != "FINISHED":
            raise Refusal(100, f"The container cannot be published: {container.status(now)}")
        replies = container.content.reply_to is not None
        if self._store.published_since(now - LIFE, replies=replies) >= self._quotas[replies]:
            raise Refusal(100, "The profile has reached its publishing limit")
        root = f"{request.url.origin()}{request.path.partition('/v1.0/')[0]}"
        post = self._store.publish(container, now, root)
        return await self._faults.after(request, "", web.json_response({"id": post.id}))

    async def _list(self, request: web.Request) -> web.Response:
        query, fields = request.query, _fields(request)
        size, since = query.get("limit", "25"), query.get("since", str(EARLIEST))
        if not size.isdecimal() or not since.isdecimal() or int(since) < EARLIEST:
            raise Refusal(100, f"limit and since must be numbers, since at least {EARLIEST}")
        replies = request.path.endswith("/replies")
        start = datetime.fromtimestamp(int(since), UTC)
        posts = [
            post
            for post in self._store.newest_first(replies=replies)
            if post.created_at >= start - timedelta(seconds=1)
        ]
        if posts and self._faults.take("lag"):
            posts = posts[1:]
        if after := query.get("after"):
            posts = [post for post in posts if int(post.id) < int(after)]
        page = posts[: min(int(size), MOST_PER_PAGE)]
        body: dict[str, Any] = {"data": [post_json(post, fields) for post in page]}
        if len(posts) > len(page):
            body["paging"] = {"cursors": {"after": page[-1].id}}
        return web.json_response(body)

    async def _show(self, request: web.Request) -> web.Response:
        node, fields = request.match_info["node"], _fields(request)
        if container := self._store.containers.get(node):
            told = {"id": node, "status": container.status(self._clock())}
            if told["status"] == "IN_PROGRESS":
                container.pending -= 1
            if told["status"] == "ERROR":
                told["error_message"] = container.error
            return web.json_response({name: told[name] for name in told if name in {"id", *fields}})
        return web.json_response(post_json(self._store.live(node), fields))

    async def _insights(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("counts:"):
            return early
        post = self._store.live(request.match_info["node"])
        data = self._store.insights(post, request.query.get("metric", ""))
        return await self._faults.after(request, "counts:", web.json_response({"data": data}))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        post = self._store.live(request.match_info["node"])
        post.deleted = True
        answer = web.json_response({"success": True, "deleted_id": post.id})
        return await self._faults.after(request, "delete:", answer)

    async def _file(self, request: web.Request) -> web.Response:
        post = self._store.posts.get(request.match_info["id"])
        if post is None or post.deleted or post.container.data is None:
            raise web.HTTPNotFound
        kind = "image/png" if post.container.data.startswith(b"\x89PNG") else "image/jpeg"
        return web.Response(body=post.container.data, content_type=kind)

    async def _page(self, request: web.Request) -> web.Response:
        try:
            post = self._store.live(request.match_info["id"])
        except Refusal as refusal:
            raise web.HTTPNotFound from refusal
        content = post.container.content
        page = f'<!doctype html><meta charset="utf-8"><title>@{USERNAME}</title>'
        page += f"<article dir=auto>{html.escape(content.text)}"
        if content.image_url:
            root = html.escape(request.path.partition("/@")[0])
            page += f'<img src="{root}/images/{post.id}" alt="{html.escape(content.alt)}">'
        return web.Response(text=f"{page}</article>", content_type="text/html")


def _fields(request: web.Request) -> set[str]:
    return {name for name in request.query.get("fields", "").split(",") if name}


async def _fetched(url: str) -> bytes | None:
    """The image, as the network would fetch it; None where it cannot."""
    if URL(url).host not in LOOPBACK:
        return None
    try:
        async with (
            aiohttp.ClientSession(timeout=FETCH) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            return await answer.read() if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None
