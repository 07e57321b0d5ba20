"""A strict stand-in for the Graph API with one Page; it refuses what the real one refuses.

Must never leave the loopback interface and never forget a post it made, deleted or not.
"""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from services.social.channels.base import VisiblePost
from services.social.channels.facebook import fake_rules as rules
from services.social.channels.facebook.fake_faults import Faults, said
from services.social.channels.facebook.fake_rules import Refusal, Usage
from services.social.channels.facebook.fake_store import PAGE_ID, PAGE_NAME, Photo, Post, Store
from services.social.channels.fake_meta_login import MetaLogin
from services.social.channels.faults import CLOSING

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN = "sandbox-page-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
SCOPES = frozenset({"pages_show_list", "pages_manage_posts", "pages_read_engagement"})
MOST_PER_PAGE = 100
API = "/{version:v[0-9]+\\.[0-9]}"


class FacebookFake:
    """See the module. `hourly` is how many calls an app may make in an hour.

    The account it gives posts pictures, because those carry the alt text that readers are given;
    `media` can be set to `card` for the link cards that Facebook makes by itself.
    """

    name = "facebook"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        hourly: int = 1_000_000,
    ) -> None:
        self._faults = Faults(PAGE_ID)
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.oauth = MetaLogin(clock, SCOPES, (PAGE_ID, PAGE_NAME), _listed)
        self._clock = clock
        self._usage = Usage(hourly)
        self._store = Store()

    def account(self, base_url: str) -> dict[str, Any]:
        return {
            "server": base_url,
            "web": base_url,
            "page_id": PAGE_ID,
            "access_token": self.token,
            "media": "image",
        }

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        posts = reversed(self._store.posts.values())
        return [self._store.as_seen(post) for post in posts if post.by == PAGE_ID]

    def visited(self, message: str) -> None:
        """A visitor writes on the Page's feed."""
        post_id = f"{PAGE_ID}_{self._store.next_id()}"
        post = Post(post_id, message, None, None, self._clock(), "", by="99")
        self._store.posts[post_id] = post

    def react(self, post_id: str, **counts: int) -> None:
        self._store.reactions.add(post_id, **counts)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate], client_max_size=64 * 1024 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        app.add_routes(
            [
                *self.oauth.routes(),
                web.get(f"{API}/{PAGE_ID}", self._about),
                web.get(f"{API}/{PAGE_ID}/feed", self._feed),
                web.post(f"{API}/{PAGE_ID}/feed", self._create),
                web.post(f"{API}/{PAGE_ID}/photos", self._upload),
                web.get(f"{API}/{{node}}", self._show),
                web.post(f"{API}/{{node}}", self._edit),
                web.delete(f"{API}/{{node}}", self._delete),
                web.get("/photos/{id}", self._file),
                web.get("/{id:[0-9]+_[0-9]+}", self._page),
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

    async def _about(self, request: web.Request) -> web.Response:
        return web.json_response({"id": PAGE_ID, "name": PAGE_NAME})

    async def _feed(self, request: web.Request) -> web.Response:
        query = request.query
        since = datetime.fromtimestamp(int(query.get("since", "0")), UTC)
        limit, start = int(query.get("limit", "25")), int(query.get("after", "0"))
        if not 0 < limit <= MOST_PER_PAGE:
            raise Refusal(100, f"(#100) limit must be at most {MOST_PER_PAGE}")
        posts = self._store.feed(since)[start:]
        shown = [self._store.post_json(post) for post in posts[:limit]]
        body: dict[str, Any] = {"data": shown}
        if shown:
            body["paging"] = {"cursors": {"before": str(start), "after": str(start + limit)}}
        return web.json_response(body)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("media:"):
            return early
        form = await request.post()
        if extra := sorted(form.keys() - {"source", "published", "alt_text_custom"}):
            raise Refusal(100, f"(#100) Unexpected key {extra[0]}")
        file, alt = form.get("source"), form.get("alt_text_custom", "")
        if not isinstance(file, web.FileField) or not isinstance(alt, str):
            raise Refusal(324, "(#324) Requires upload file")
        if form.get("published") != "false":
            raise Refusal(100, "(#100) The sandbox takes photos for posts only: published=false")
        with file.file:
            data = file.file.read()
        media_type = await asyncio.to_thread(rules.accepted_photo, data)
        photo = Photo(self._store.next_id(), data, media_type, alt)
        self._store.photos[photo.id] = photo
        return await self._faults.after(request, "media:", web.json_response({"id": photo.id}))

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        message, link, photo_id = rules.checked_feed(await request.post())
        self._store.refuse_duplicate(message, link)
        photo = self._store.attachable(photo_id) if photo_id is not None else None
        post_id = f"{PAGE_ID}_{self._store.next_id()}"
        now, url = self._clock(), f"{_root(request)}/{post_id}"
        self._store.posts[post_id] = Post(post_id, message, link, photo_id, now, url)
        if photo:
            photo.post_id = post_id
        return await self._faults.after(request, "", web.json_response({"id": post_id}))

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("counts:"):
            return early
        post = self._store.live(request.match_info["node"])
        told = self._store.counted(post, request.query.get("fields", ""))
        return await self._faults.after(request, "counts:", web.json_response(told))

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("edit:"):
            return early
        post, form = self._store.live(request.match_info["node"]), await request.post()
        if form.keys() != {"message"}:
            raise Refusal(100, "(#100) Only the message of a post can be changed")
        message = rules.message_of(form)
        if message != post.message:
            post.message, post.edited_at = message, self._clock()
        return await self._faults.after(request, "edit:", web.json_response({"success": True}))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        node = request.match_info["node"]
        if node in self._store.photos:
            del self._store.photos[node]
        else:
            self._store.live(node).deleted = True
        return await self._faults.after(request, "delete:", web.json_response({"success": True}))

    async def _file(self, request: web.Request) -> web.Response:
        photo = self._store.photos.get(request.match_info["id"])
        if photo is None:
            raise web.HTTPNotFound
        return web.Response(body=photo.data, content_type=photo.media_type)

    async def _page(self, request: web.Request) -> web.Response:
        post = self._store.posts.get(request.match_info["id"])
        if post is None or post.deleted:
            raise web.HTTPNotFound
        text = html.escape(post.message)
        page = f'<!doctype html><meta charset="utf-8"><title>{PAGE_NAME}</title>'
        page += f"<p dir=auto>{text}</p>"
        if post.link:
            page += f'<a href="{html.escape(post.link)}">{html.escape(post.link)}</a>'
        return web.Response(text=page, content_type="text/html")


def _root(request: web.Request) -> str:
    """Our address as the caller reached it, with the path that we are mounted below."""
    version = request.match_info["version"]
    return f"{request.url.origin()}{request.path.partition(f'/{version}/')[0]}"


def _listed(number: str, name: str) -> dict[str, Any]:
    """One of a person's Pages, as `/me/accounts` has it."""
    return {"id": number, "name": name}
