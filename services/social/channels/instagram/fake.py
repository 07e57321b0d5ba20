"""A strict stand-in for Instagram's publishing API with one account; it refuses what the real one refuses.

Must never leave the loopback interface and never forget a picture it showed, deleted or not.
"""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from services.social.channels.base import VisiblePost
from services.social.channels.fake_meta_login import MetaLogin
from services.social.channels.faults import CLOSING
from services.social.channels.instagram import fake_rules as rules
from services.social.channels.instagram.fake_faults import Faults, said
from services.social.channels.instagram.fake_rules import Refusal, Usage
from services.social.channels.instagram.fake_store import (
    LIFE,
    USER_ID,
    USERNAME,
    Comment,
    Container,
    Store,
    comment_json,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN = "sandbox-instagram-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
SCOPES = frozenset(
    {
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_comments",
        "instagram_manage_contents",
        "instagram_manage_insights",
        "pages_read_engagement",
        "pages_show_list",
    }
)
MOST_PER_PAGE = 100
FETCH = aiohttp.ClientTimeout(total=5)
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
API = "/{version:v[0-9]+\\.[0-9]}"


class InstagramFake:
    """See the module. It fetches pictures as the network does, from loopback addresses only.

    `hourly` is how many calls an app may make in an hour, `quota` how many pictures may be published
    in 24 hours, `processing` how many polls a container takes, `hashtags` how many a caption may have.
    """

    name = "instagram"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        hourly: int = 1_000_000,
        quota: int = 100_000,
        processing: int = 0,
        hashtags: int = rules.HASHTAGS,
    ) -> None:
        self._faults = Faults(USER_ID)
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.oauth = MetaLogin(clock, SCOPES, (USER_ID, USERNAME), _listed)
        self.insights = True
        """Whether the token has `instagram_manage_insights`."""
        self._clock = clock
        self._usage = Usage(hourly)
        self._quota = quota
        self._processing = processing
        self._hashtags = hashtags
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
                web.get(user, self._about),
                web.get(f"{user}/media", self._list),
                web.post(f"{user}/media", self._take_in),
                web.post(f"{user}/media_publish", self._publish),
                web.get(f"{user}/content_publishing_limit", self._limit),
                web.get(f"{API}/{{node}}", self._show),
                web.delete(f"{API}/{{node}}", self._delete),
                web.get(f"{API}/{{node}}/insights", self._insights),
                web.get(f"{API}/{{node}}/comments", self._list_comments),
                web.post(f"{API}/{{node}}/comments", self._comment),
                web.get("/pictures/{id}", self._file),
                web.get("/p/{id}/", self._page),
            ]
        )
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The app's calls, then the token, then the act; refusals in the network's JSON."""
        if "version" not in request.match_info:
            return await handler(request)
        allowed = self._usage.hit(self._clock())
        try:
            if not allowed:
                raise Refusal(4, "(#4) Application request limit reached", status=403)
            self._authorise(request)
            answer = await handler(request)
        except Refusal as refusal:
            answer = said(refusal.status, refusal.code, str(refusal), subcode=refusal.subcode)
        answer.headers["X-App-Usage"] = self._usage.header()
        return answer

    def _authorise(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        right = self.oauth.opens(token) or secrets.compare_digest(
            token.encode(), self.token.encode()
        )
        if scheme != "Bearer" or not right:
            raise Refusal(190, "Invalid OAuth access token - Cannot parse access token")

    async def _about(self, _: web.Request) -> web.Response:
        return web.json_response({"id": USER_ID, "username": USERNAME})

    async def _limit(self, _: web.Request) -> web.Response:
        used = self._store.published_since(self._clock() - LIFE)
        config = {"quota_total": self._quota, "quota_duration": int(LIFE.total_seconds())}
        return web.json_response({"data": [{"quota_usage": used, "config": config}]})

    async def _take_in(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("media:"):
            return early
        body = await _json_body(request)
        image_url, caption, alt = rules.checked_container(body, self._hashtags)
        data = await _fetched(image_url)
        await asyncio.to_thread(rules.accepted_image, data)
        made = Container(self._store.next_id(), data, caption, alt, self._clock(), self._processing)
        self._store.containers[made.id] = made
        return await self._faults.after(request, "media:", web.json_response({"id": made.id}))

    async def _publish(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        body, now = await _json_body(request), self._clock()
        if body.keys() != {"creation_id"}:
            raise Refusal(100, "(#100) The parameter creation_id is required")
        container = self._store.container(str(body["creation_id"]))
        if self._store.published_since(now - LIFE) >= self._quota:
            raise Refusal(4, "You reached the maximum number of posts", subcode=2_207_042)
        match container.status(now):
            case "EXPIRED":
                raise Refusal(24, "The media container has expired", subcode=2_207_008)
            case "IN_PROGRESS":
                raise Refusal(9007, "The media is not ready for publishing", subcode=2_207_027)
            case "PUBLISHED":
                raise Refusal(100, "(#100) The media has been published already")
        media = self._store.publish(container, now, _root(request))
        return await self._faults.after(request, "", web.json_response({"id": media.id}))

    async def _show(self, request: web.Request) -> web.Response:
        node, fields = request.match_info["node"], request.query.get("fields", "id").split(",")
        if node in self._store.containers:
            container = self._store.container(node)
            status = container.status(self._clock())
            container.pending = max(0, container.pending - 1)
            known: dict[str, Any] = {"id": node, "status_code": status, "status": f"{status}: told"}
        else:
            known = self._store.media_json(self._store.live(node))
        if unknown := sorted(set(fields) - known.keys()):
            raise Refusal(100, f"(#100) Tried accessing nonexisting field ({unknown[0]})")
        return web.json_response({"id": node} | {name: known[name] for name in fields})

    async def _insights(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("counts:"):
            return early
        media = self._store.live(request.match_info["node"])
        if not self.insights:
            words = "(#10) Application does not have permission for this action"
            raise Refusal(10, words, status=403)
        data = self._store.insights(media, request.query.get("metric", ""))
        return await self._faults.after(request, "counts:", web.json_response({"data": data}))

    async def _list(self, request: web.Request) -> web.Response:
        return _paged(request, [self._store.media_json(one) for one in self._store.newest_first()])

    async def _list_comments(self, request: web.Request) -> web.Response:
        media = self._store.live(request.match_info["node"])
        return _paged(request, [comment_json(one) for one in self._store.comments_of(media.id)])

    async def _comment(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("edit:"):
            return early
        media = self._store.live(request.match_info["node"])
        text = rules.checked_comment(await _json_body(request))
        made = Comment(self._store.next_id(), media.id, text, self._clock())
        self._store.comments.append(made)
        return await self._faults.after(request, "edit:", web.json_response({"id": made.id}))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        self._store.live(request.match_info["node"]).deleted = True
        return await self._faults.after(request, "delete:", web.json_response({"success": True}))

    async def _file(self, request: web.Request) -> web.Response:
        media = self._store.media.get(request.match_info["id"])
        if media is None or media.deleted:
            raise web.HTTPNotFound
        return web.Response(body=media.container.data, content_type="image/jpeg")

    async def _page(self, request: web.Request) -> web.Response:
        media = self._store.media.get(request.match_info["id"])
        if media is None or media.deleted:
            raise web.HTTPNotFound
        comments = [one.text for one in self._store.comments_of(media.id)]
        page = f'<!doctype html><meta charset="utf-8"><title>{USERNAME}</title>'
        for text in (media.container.caption, *comments):
            page += f"<p dir=auto>{html.escape(text)}</p>"
        return web.Response(text=page, content_type="text/html")


async def _fetched(image_url: str) -> bytes:
    """The picture at a loopback address; anything else is as unreachable as a private one is to them."""
    words = f"The media could not be fetched from this URI: {image_url}"
    try:
        if URL(image_url).host not in LOOPBACK:
            raise Refusal(9004, words, subcode=2_207_052)
        async with (
            aiohttp.ClientSession(timeout=FETCH) as session,
            session.get(image_url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise Refusal(9004, words, subcode=2_207_052)
            return await answer.read()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Refusal(9004, words, subcode=2_207_052) from error


def _paged(request: web.Request, items: Sequence[dict[str, Any]]) -> web.Response:
    limit, start = int(request.query.get("limit", "25")), int(request.query.get("after", "0"))
    if not 0 < limit <= MOST_PER_PAGE:
        raise Refusal(100, f"(#100) limit must be at most {MOST_PER_PAGE}")
    page = list(items[start : start + limit])
    body: dict[str, Any] = {"data": page}
    if page:
        body["paging"] = {"cursors": {"before": str(start), "after": str(start + limit)}}
    return web.json_response(body)


def _root(request: web.Request) -> str:
    """Our address as the caller reached it, with the path that we are mounted below."""
    version = request.match_info["version"]
    return f"{request.url.origin()}{request.path.partition(f'/{version}/')[0]}"


async def _json_body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(100, "(#100) The body must be a JSON object")
    return body


def _listed(number: str, name: str) -> dict[str, Any]:
    """The Page that an account is linked with, as `/me/accounts` has it."""
    return {"id": f"{number}1", "instagram_business_account": {"id": number, "username": name}}
