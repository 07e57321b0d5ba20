"""A strict stand-in for LinkedIn's Posts and Images APIs with one page; it refuses what the real one does.

Must never leave the loopback interface and never forget a post it made, deleted or not.
"""

from __future__ import annotations

import asyncio
import html
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from services.social.channels.base import VisiblePost
from services.social.channels.faults import CLOSING
from services.social.channels.linkedin import fake_rules as rules
from services.social.channels.linkedin.fake_faults import THROTTLED, Faults, said
from services.social.channels.linkedin.fake_oauth import Authorisations
from services.social.channels.linkedin.fake_rules import Refusal
from services.social.channels.linkedin.fake_store import (
    AUTHOR,
    ORGANIZATION,
    OWNER,
    Picture,
    Post,
    Store,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN = "sandbox-linkedin-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
MONTH = re.compile(r"20\d\d(0[1-9]|1[0-2])")
MOST_PER_PAGE = 100


class LinkedInFake:
    """See the module. `daily` is the quota of posts a day; `processing` how many polls an image takes."""

    name = "linkedin"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        daily: int = 100_000,
        processing: int = 0,
        ended_versions: frozenset[str] = frozenset(),
    ) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.oauth = Authorisations(clock, ORGANIZATION)
        self._clock = clock
        self._daily = daily
        self._processing = processing
        self._ended = ended_versions
        self._store = Store()

    def account(self, base_url: str) -> dict[str, Any]:
        return {
            "server": base_url,
            "web": base_url,
            "organization": ORGANIZATION,
            "access_token": self.token,
        }

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        return [self._store.as_seen(post) for post in reversed(self._store.posts.values())]

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
                web.post("/rest/images", self._initialize),
                web.get("/rest/images/{urn}", self._image_state),
                web.put("/rest/uploads/{urn}", self._upload),
                web.post("/rest/posts", self._create),
                web.get("/rest/posts", self._finder),
                web.get("/rest/organizationalEntityShareStatistics", self._statistics),
                web.get("/rest/posts/{urn}", self._show),
                web.post("/rest/posts/{urn}", self._edit),
                web.delete("/rest/posts/{urn}", self._delete),
                web.get("/pictures/{urn}", self._file),
                web.get("/feed/update/{urn}", self._page),
            ]
        )
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The token, the headers, then the act; refusals in the network's JSON."""
        _, api, path = request.path.partition("/rest/")
        if not api:
            return await handler(request)
        try:
            self._admit(request, upload=path.startswith("uploads/"))
            return await handler(request)
        except Refusal as refusal:
            return said(refusal.status, refusal.code, str(refusal))
        except KeyError:
            return said(404, "NOT_FOUND", "Entity not found")

    def _admit(self, request: web.Request, *, upload: bool) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        right = self.oauth.opens(token) or secrets.compare_digest(
            token.encode(), self.token.encode()
        )
        if scheme != "Bearer" or not right:
            raise Refusal(401, "INVALID_ACCESS_TOKEN", "Invalid access token")
        if upload:
            return
        version = request.headers.get("LinkedIn-Version", "")
        if not MONTH.fullmatch(version):
            raise Refusal(400, "VERSION_MISSING", "A version must be present in LinkedIn-Version")
        if version in self._ended:
            words = f"Requested version {version} is not active"
            raise Refusal(426, "NONEXISTENT_VERSION", words)
        if request.headers.get("X-Restli-Protocol-Version") != "2.0.0":
            raise Refusal(400, "ILLEGAL_ARGUMENT", "X-Restli-Protocol-Version must be 2.0.0")
        # Rest.li 2.0 takes the colon of a URN for its own syntax, unless it is encoded.
        if "urn:" in request.raw_path:
            raise Refusal(400, "ILLEGAL_ARGUMENT", "Syntax exception in path variables")

    async def _initialize(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        if request.query.get("action") != "initializeUpload":
            raise Refusal(400, "ILLEGAL_ARGUMENT", "Unknown action")
        if body != {"initializeUploadRequest": {"owner": OWNER}}:
            raise rules.invalid("/initializeUploadRequest/owner :: is not yours")
        urn = f"urn:li:image:C4E10AQ{self._store.next_id()}"
        self._store.pictures[urn] = Picture(urn, None, None, self._processing)
        expires = self._clock() + timedelta(hours=1)
        value = {
            "uploadUrlExpiresAt": int(expires.timestamp() * 1000),
            "uploadUrl": f"{_root(request)}/rest/uploads/{urn}",
            "image": urn,
        }
        return web.json_response({"value": value})

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("media:"):
            return early
        picture = self._store.pictures[request.match_info["urn"]]
        picture.data = await request.read()
        picture.media_type = await asyncio.to_thread(rules.accepted_image, picture.data)
        return await self._faults.after(request, "media:", web.Response(status=201))

    async def _image_state(self, request: web.Request) -> web.Response:
        picture = self._store.pictures[request.match_info["urn"]]
        status = picture.status
        if status == "PROCESSING":
            picture.pending -= 1
        return web.json_response({"id": picture.urn, "owner": OWNER, "status": status})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        body, now = await _json_body(request), self._clock()
        today = [
            post for post in self._store.posts.values() if post.created_at.date() == now.date()
        ]
        if len(today) >= self._daily:
            raise Refusal(429, "TOO_MANY_REQUESTS", f"{THROTTLED} is reached.")
        card = rules.checked_post(body, OWNER)
        if "thumbnail" in card:
            self._store.require_ready(card["thumbnail"])
        self._store.refuse_duplicate(body["commentary"], card["source"], now)
        urn = f"urn:li:share:{self._store.next_id()}"
        url = f"{_root(request)}/feed/update/{urn}"
        self._store.posts[urn] = Post(urn, body["commentary"], card, now, now, url)
        answer = web.Response(status=201, headers={"x-restli-id": urn})
        return await self._faults.after(request, "", answer)

    async def _finder(self, request: web.Request) -> web.Response:
        query = request.query
        if "ids" in query:
            if request.headers.get("X-RestLi-Method") != "BATCH_GET":
                raise Refusal(400, "ILLEGAL_ARGUMENT", "X-RestLi-Method must be BATCH_GET")
            return web.json_response(self._store.batch(rules.listed(request.rel_url, "ids")))
        if (query.get("q"), query.get("author")) != ("author", OWNER):
            raise Refusal(
                403, "ACCESS_DENIED", "Not enough permissions to access: posts.FINDER-author"
            )
        if query.get("sortBy") != "LAST_MODIFIED":
            raise Refusal(400, "ILLEGAL_ARGUMENT", "sortBy is not an enum symbol")
        start, count = int(query.get("start", "0")), int(query.get("count", "10"))
        if not 0 < count <= MOST_PER_PAGE:
            raise Refusal(400, "ILLEGAL_ARGUMENT", f"count must be at most {MOST_PER_PAGE}")
        found = self._store.newest_change_first()[start : start + count]
        elements = [self._store.post_json(post) for post in found]
        paging = {"start": start, "count": count, "links": []}
        return web.json_response({"elements": elements, "paging": paging})

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._store.post_json(self._store.live(request.match_info["urn"])))

    async def _statistics(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("counts:"):
            return early
        query = request.query
        if (query.get("q"), query.get("organizationalEntity")) != ("organizationalEntity", OWNER):
            words = "Not enough permissions to access: organizationalEntityShareStatistics"
            raise Refusal(403, "ACCESS_DENIED", words)
        elements = self._store.statistics(rules.listed(request.rel_url, "shares"))
        answer = web.json_response({"elements": elements, "paging": {"start": 0, "links": []}})
        return await self._faults.after(request, "counts:", answer)

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("edit:"):
            return early
        if request.headers.get("X-RestLi-Method") != "PARTIAL_UPDATE":
            raise Refusal(400, "ILLEGAL_ARGUMENT", "X-RestLi-Method must be PARTIAL_UPDATE")
        post = self._store.live(request.match_info["urn"])
        body = await _json_body(request)
        patch = body.get("patch")
        changed = patch.get("$set") if isinstance(patch, dict) else None
        if not isinstance(changed, dict) or changed.keys() != {"commentary"}:
            raise rules.invalid("/patch/$set :: only commentary can be changed")
        commentary = rules.checked_commentary(changed["commentary"])
        if commentary != post.commentary:
            post.commentary, post.changed_at, post.edited = commentary, self._clock(), True
        return await self._faults.after(request, "edit:", web.Response(status=204))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        post = self._store.posts[request.match_info["urn"]]
        # Deleting what is deleted already is a success, too.
        post.deleted_at = post.deleted_at or self._clock()
        return await self._faults.after(request, "delete:", web.Response(status=204))

    async def _file(self, request: web.Request) -> web.Response:
        picture = self._store.pictures.get(request.match_info["urn"])
        if picture is None or picture.media_type is None:
            raise web.HTTPNotFound
        return web.Response(body=picture.data, content_type=picture.media_type)

    async def _page(self, request: web.Request) -> web.Response:
        post = self._store.posts.get(request.match_info["urn"])
        if post is None or post.deleted_at is not None:
            raise web.HTTPNotFound
        text = html.escape(rules.shown(post.commentary))
        link, title = html.escape(post.card["source"]), html.escape(post.card["title"])
        page = f'<!doctype html><meta charset="utf-8"><title>{AUTHOR}</title>'
        page += f'<p dir=auto>{text}</p><a dir=auto href="{link}">{title}</a>'
        return web.Response(text=page, content_type="text/html")


def _root(request: web.Request) -> str:
    """Our address as the caller reached it, with the path that we are mounted below."""
    return f"{request.url.origin()}{request.path.partition('/rest/')[0]}"


async def _json_body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "ILLEGAL_ARGUMENT", "The body is no JSON object")
    return body
