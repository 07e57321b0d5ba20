"""A strict stand-in for X's API with one account; it refuses what the real one refuses.

Must never leave the loopback interface and never forget a post it made, deleted or not.
"""

from __future__ import annotations

import asyncio
import html
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from services.social.channels.base import VisiblePost
from services.social.channels.faults import CLOSING
from services.social.channels.x import fake_rules as rules
from services.social.channels.x.fake_faults import PROBLEMS, Faults, invalid, problem
from services.social.channels.x.fake_oauth import Authorisations
from services.social.channels.x.fake_rules import NewMetadata, NewPost, Refusal, Window
from services.social.channels.x.fake_store import ACCOUNT_ID, AUTHOR, Post, Store, Upload

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Body = TypeVar("Body", bound=BaseModel)

TOKEN = "sandbox-user-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
DAY = 86_400


class XFake:
    """See the module. `edit_minutes` is the account's own window for edits, 0 for none.

    `capacity` sets calls per window. Without it there are a hundred times those of the network, so that a
    drill with more posts than a newsroom has in a quarter of an hour goes through.
    """

    name = "x"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        capacity: dict[str, int] | None = None,
        edit_minutes: int = 0,
    ) -> None:
        self._faults = Faults(clock)
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.oauth = Authorisations(clock)
        self.edit_minutes = edit_minutes
        self._clock = clock
        calls = {name: 100 * limit for name, limit in rules.CALLS.items()} | (capacity or {})
        self._windows = {name: Window(calls[name]) for name in ("read", "media", "delete", "post")}
        self._day = Window(calls["day"], DAY)
        self._store = Store(clock)

    def account(self, base_url: str) -> dict[str, Any]:
        return {
            "server": base_url,
            "web": base_url,
            "access_token": self.token,
            "reads_per_day": 1000,  # they cost nothing here
        }

    def expire_tokens(self) -> None:
        """Access tokens that were granted by consent end now; that of `account` does not."""
        self.oauth.expire_tokens()

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        return [self._store.as_seen(post) for post in self._store.newest_first()]

    def react(self, post_id: str, **counts: int) -> None:
        self._store.reactions.add(post_id, **counts)

    def app(self) -> web.Application:
        # The body cap stands above the image limit, so that the refusal comes in the network's words.
        app = web.Application(middlewares=[self._gate], client_max_size=32 * 1024 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        app.add_routes(
            [
                *self.oauth.routes(),
                web.get("/2/users/me", self._me),
                web.get("/2/users/{id}/tweets", self._timeline),
                web.post("/2/media/upload", self._upload),
                web.post("/2/media/metadata", self._describe),
                web.post("/2/tweets", self._create),
                web.get("/2/tweets", self._several, allow_head=False),
                web.get("/2/tweets/{id}", self._show),
                web.delete("/2/tweets/{id}", self._delete),
                web.get("/media/{id}", self._file),
                web.get("/i/web/status/{id}", self._page),
            ]
        )
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The token, then the limits, then the act; refusals as the network writes them."""
        _, api, path = request.path.partition("/2/")
        if not api or path == "oauth2/token":
            return await handler(request)
        if not self._authorised(request):
            return problem(401, "Unauthorized")
        kind = {"POST": "media" if path.startswith("media/") else "post", "DELETE": "delete"}
        window = self._windows[kind.get(request.method, "read")]
        now = self._clock()
        allowed = window.hit(now)
        posting = window is self._windows["post"]
        if posting:
            allowed = self._day.hit(now) and allowed
        try:
            if not allowed:
                answer: web.StreamResponse = problem(429, "Too Many Requests")
            else:
                answer = await handler(request)
        except Refusal as refusal:
            words = str(refusal)
            answer = invalid(words) if refusal.status == 400 else problem(refusal.status, words)
        except KeyError:
            detail = "Could not find tweet."
            answer = problem(404, detail, f"{PROBLEMS}resource-not-found")
        told = window.headers(now)
        if posting:
            told |= self._day.headers(now, "x-user-limit-24hour")
        for name, value in told.items():
            answer.headers.setdefault(name, value)
        return answer

    def _authorised(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return False
        return secrets.compare_digest(token.encode(), self.token.encode()) or self.oauth.opens(
            token
        )

    async def _me(self, _: web.Request) -> web.Response:
        return web.json_response({"data": {"id": ACCOUNT_ID, "username": AUTHOR, "name": "Herald"}})

    async def _timeline(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != ACCOUNT_ID:
            raise KeyError(request.match_info["id"])
        query = request.query
        size, fields = query.get("max_results", "10"), rules.fields_of(query)
        if not size.isdecimal() or not 5 <= int(size) <= 100:
            raise Refusal(f"[max_results] must be 5 to 100, not {size}")
        since = rules.instant_of(query["start_time"]) if "start_time" in query else None
        below = query.get("pagination_token", "")
        posts = [
            post
            for post in self._seen_by_now()
            if (since is None or post.created_at >= since)
            and (not below or int(post.id) < int(below))
        ]
        page = posts[: int(size)]
        body: dict[str, Any] = {"meta": {"result_count": len(page)}}
        if page:
            body["data"] = [self._store.post_json(post, fields) for post in page]
        if len(posts) > len(page):
            body["meta"]["next_token"] = page[-1].id
        return web.json_response(body)

    def _seen_by_now(self) -> list[Post]:
        posts = [post for post in self._store.newest_first() if not post.deleted]
        return posts[1:] if posts and self._faults.take("lag") else posts

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("media:"):
            return early
        form = await request.post() if request.content_type == "multipart/form-data" else {}
        file = form.get("media")
        if not isinstance(file, web.FileField):
            raise Refusal("[media] is required")
        with file.file:
            data = file.file.read()
        if form.get("media_category") != "tweet_image":
            raise Refusal("[media_category] must be tweet_image")
        media_type = await asyncio.to_thread(rules.accepted_image, data)
        if form.get("media_type", media_type) != media_type:
            raise Refusal("[media_type] is not that of the file")
        expires = self._clock() + rules.MEDIA_LIFE
        upload = Upload(self._store.next_id(), data, media_type, expires)
        self._store.uploads[upload.id] = upload
        told = {"id": upload.id, "media_key": f"3_{upload.id}", "expires_after_secs": DAY}
        answer = web.json_response({"data": {**told, "size": len(data)}})
        return await self._faults.after(request, "media:", answer)

    async def _describe(self, request: web.Request) -> web.Response:
        wanted = await _body(request, NewMetadata)
        self._store.attachable([wanted.id])
        self._store.uploads[wanted.id].alt = wanted.metadata.alt_text.text
        return web.json_response({"data": {"id": wanted.id}})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        wanted = await _body(request, NewPost)
        text = rules.text_of(wanted)
        media = self._store.attachable(wanted.media.media_ids) if wanted.media else []
        before = (
            self._editable(wanted.edit_options.previous_post_id) if wanted.edit_options else None
        )
        if self._store.repeats(text, before):
            raise Refusal("You are not allowed to create a Tweet with duplicate content.", 403)
        now, new_id = self._clock(), self._store.next_id()
        if before:
            before.versions.append(new_id)
            before.text, before.media, before.edited_at = text, media, now
        else:
            parent = self._parent(wanted.reply.in_reply_to_tweet_id) if wanted.reply else None
            root = f"{request.url.origin()}{request.path.partition('/2/')[0]}"
            post = Post([new_id], text, media, now, reply_to=parent, root=root)
            self._store.posts.append(post)
        body = {"data": {"id": new_id, "text": text, "edit_history_tweet_ids": [new_id]}}
        answer = web.json_response(body, status=201)
        return await self._faults.after(request, "", answer)

    def _editable(self, post_id: str) -> Post:
        post = self._store.live(post_id)
        open_until = post.created_at + timedelta(minutes=self.edit_minutes)
        if post.id != post_id or self._clock() >= open_until:
            raise Refusal("You are not permitted to edit this Post.", 403)
        if len(post.versions) > rules.MAX_EDITS:
            raise Refusal("This Post has been edited as often as it may be.", 403)
        return post

    def _parent(self, post_id: str) -> str:
        try:
            self._store.live(post_id)
        except KeyError as error:
            words = "You attempted to reply to a Tweet that is deleted or not visible to you."
            raise Refusal(words, 403) from error
        return post_id

    async def _several(self, request: web.Request) -> web.StreamResponse:
        """What is there as `data`, what is not as `errors`, and a success in either case."""
        if early := self._faults.before("counts:"):
            return early
        fields, ids = rules.fields_of(request.query), request.query.get("ids", "").split(",")
        if not 1 <= len(ids) <= rules.MOST_NAMED or not all(one.isdecimal() for one in ids):
            raise Refusal(f"[ids] must be 1 to {rules.MOST_NAMED} ids of posts")
        body: dict[str, Any] = {}
        for post_id in ids:
            try:
                told = self._store.post_json(self._store.live(post_id), fields)
                body.setdefault("data", []).append(told)
            except KeyError:
                body.setdefault("errors", []).append(_not_found(post_id))
        return await self._faults.after(request, "counts:", web.json_response(body))

    async def _show(self, request: web.Request) -> web.Response:
        """A post that is not there is a success with an error in it, as on the real network."""
        post_id, fields = request.match_info["id"], rules.fields_of(request.query)
        try:
            told = self._store.post_json(self._store.live(post_id), fields)
        except KeyError:
            return web.json_response({"errors": [_not_found(post_id)]})
        if self._faults.take("lag"):
            told["edit_history_tweet_ids"] = told["edit_history_tweet_ids"][:1]
        return web.json_response({"data": told})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        self._store.live(request.match_info["id"]).deleted = True
        answer = web.json_response({"data": {"deleted": True}})
        return await self._faults.after(request, "delete:", answer)

    async def _file(self, request: web.Request) -> web.Response:
        upload = self._store.uploads.get(request.match_info["id"])
        if upload is None:
            raise web.HTTPNotFound
        return web.Response(body=upload.data, content_type=upload.media_type)

    async def _page(self, request: web.Request) -> web.Response:
        try:
            post = self._store.live(request.match_info["id"])
        except KeyError as error:
            raise web.HTTPNotFound from error
        root = html.escape(request.path.partition("/i/web/")[0])
        images = "".join(
            f'<img src="{root}{each["url"]}" alt="{html.escape(each["alt"])}">'
            for each in self._store.as_seen(post).images
        )
        page = f'<!doctype html><meta charset="utf-8"><title>@{AUTHOR}</title>'
        page += f"<article dir=auto>{html.escape(post.text)}{images}</article>"
        return web.Response(text=page, content_type="text/html")


def _not_found(post_id: str) -> dict[str, str]:
    return {
        "title": "Not Found Error",
        "type": f"{PROBLEMS}resource-not-found",
        "value": post_id,
        "resource_id": post_id,
        "detail": f"Could not find tweet with id: [{post_id}].",
    }


async def _body(request: web.Request, model: type[Body]) -> Body:
    """The JSON body. Raises `Refusal` for a field that is missing, wrong or not known."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise Refusal(f"[{where}] {first['msg']}") from error
