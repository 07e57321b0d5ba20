"""A strict stand-in for a Mastodon 4.4 server with one account; it refuses what the real one refuses.

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
from services.social.channels.faults import CLOSING
from services.social.channels.mastodon import fake_rules as rules
from services.social.channels.mastodon.fake_faults import Faults, said
from services.social.channels.mastodon.fake_oauth import Authorisations
from services.social.channels.mastodon.fake_rules import Refusal, Window
from services.social.channels.mastodon.fake_store import (
    ACCOUNT_ID,
    AUTHOR,
    Attachment,
    Status,
    Store,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN = "sandbox-access-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""


class MastodonFake:
    """See the module. `capacity` sets calls per window; `processing` is how many polls an image takes.

    `seconds` is the length of the window for all calls, which whoever runs a server may change.
    """

    name = "mastodon"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        capacity: dict[str, int] | None = None,
        processing: int = 0,
        seconds: int = 300,
    ) -> None:
        self._faults = Faults(clock, seconds)
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.oauth = Authorisations()
        self.processing = processing
        self._clock = clock
        calls = {"api": 300, "media": 30, "delete": 30, "statuses": 300} | (capacity or {})
        periods = {"api": seconds, "media": 1800, "delete": 1800, "statuses": 10_800}
        self._windows = {name: Window(calls[name], periods[name]) for name in periods}
        self._store = Store(clock)
        self._keys: dict[str, tuple[str, datetime]] = {}

    def account(self, base_url: str) -> dict[str, Any]:
        return {"server": base_url, "access_token": self.token}

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        return [self._store.as_seen(status) for status in self._store.newest_first()]

    def react(self, post_id: str, **counts: int) -> None:
        self._store.reactions.add(post_id, **counts)

    def app(self) -> web.Application:
        # The body cap stands above the image limit, so that the refusal comes in the network's words.
        app = web.Application(middlewares=[self._gate], client_max_size=99 * 1024 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        app.add_routes(
            [
                *self.oauth.routes(),
                web.get("/api/v2/instance", self._instance),
                web.get("/api/v1/accounts/verify_credentials", self._verify),
                web.get("/api/v1/accounts/{id}/statuses", self._timeline),
                web.post("/api/v2/media", self._upload),
                web.get("/api/v1/media/{id}", self._media_state),
                web.post("/api/v1/statuses", self._create),
                web.get("/api/v1/statuses", self._several, allow_head=False),
                web.get("/api/v1/statuses/{id}", self._show),
                web.get("/api/v1/statuses/{id}/source", self._source),
                web.put("/api/v1/statuses/{id}", self._edit),
                web.delete("/api/v1/statuses/{id}", self._delete),
                web.get("/media/{id}", self._file),
                web.get(f"/@{AUTHOR}/{{id}}", self._page),
            ]
        )
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Limits, then the token, then the act; refusals in the server's JSON."""
        _, api, path = request.path.partition("/api/")
        if not api:
            return await handler(request)
        windows = [self._windows["api"]]
        if request.method == "POST" and path == "v2/media":
            windows.append(self._windows["media"])
        if request.method == "DELETE":
            windows.append(self._windows["delete"])
        now = self._clock()
        # Counted by every window, whatever the others say.
        allowed = sum(window.hit(now) for window in windows) == len(windows)
        if request.method == "POST" and path == "v1/statuses":
            windows.append(self._windows["statuses"])
        try:
            if not allowed:
                answer: web.StreamResponse = said(429, "Too many requests")
            elif path not in {"v2/instance", "v1/apps"} and not self._authorised(request):
                answer = said(401, "The access token is invalid")
            else:
                answer = await handler(request)
        except Refusal as refusal:
            answer = said(422, str(refusal))
        except KeyError:
            answer = said(404, "Record not found")
        tightest = min(windows, key=lambda window: window.remaining(now))
        for name, value in tightest.headers(now).items():
            answer.headers.setdefault(name, value)
        return answer

    def _seen(self, status: Status, request: web.Request) -> dict[str, Any]:
        return self._store.status_json(status, _root(request))

    def _authorised(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return False
        return secrets.compare_digest(token.encode(), self.token.encode()) or self.oauth.opens(
            token
        )

    async def _instance(self, _: web.Request) -> web.Response:
        return web.json_response(rules.INSTANCE)

    async def _verify(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"id": ACCOUNT_ID, "username": AUTHOR, "acct": AUTHOR, "display_name": "Herald"}
        )

    async def _timeline(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != ACCOUNT_ID:
            raise KeyError(request.match_info["id"])
        limit, below = request.query.get("limit", ""), request.query.get("max_id", "")
        size = min(int(limit), 40) if limit.isdecimal() else 20
        older = [
            status
            for status in self._store.newest_first()
            if not status.deleted and (not below.isdecimal() or int(status.id) < int(below))
        ]
        return web.json_response([self._seen(status, request) for status in older[:size]])

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("media:"):
            return early
        form = await request.post() if request.content_type == "multipart/form-data" else {}
        file = form.get("file")
        if not isinstance(file, web.FileField):
            raise Refusal("Validation failed: File can't be blank")
        with file.file:
            data = file.file.read()
        media_type, width, height = await asyncio.to_thread(rules.accepted_image, data)
        attachment = Attachment(
            id=self._store.next_id(),
            data=data,
            media_type=media_type,
            width=width,
            height=height,
            description=rules.description_of(form.get("description", "")),
            focus=rules.focus_of(form.get("focus", "0,0")),
            pending=self.processing,
        )
        self._store.media[attachment.id] = attachment
        body = self._store.media_json(attachment, _root(request))
        answer = web.json_response(body, status=202 if attachment.pending else 200)
        return await self._faults.after(request, "media:", answer)

    async def _media_state(self, request: web.Request) -> web.Response:
        attachment = self._store.media[request.match_info["id"]]
        if attachment.status_id is not None:
            raise KeyError(attachment.id)
        body = self._store.media_json(attachment, _root(request))
        if attachment.pending:
            attachment.pending -= 1
            return web.json_response(body, status=206)
        return web.json_response(body)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        body = await _json_body(request)
        key = request.headers.get("Idempotency-Key")
        now = self._clock()
        if key and key in self._keys and now - self._keys[key][1] < rules.IDEMPOTENCY:
            status = self._store.live(self._keys[key][0])
        else:
            text = rules.text_of(body)
            media = self._store.attachable(body, None)
            visibility = body.get("visibility", "public")
            if visibility not in {"public", "unlisted", "private", "direct"}:
                raise Refusal("Validation failed: Visibility is not included in the list")
            if not text.strip() and not media:
                raise Refusal("Validation failed: Text can't be blank")
            if not self._windows["statuses"].hit(now):
                return said(429, "Too many requests")
            new_id = self._store.next_id()
            status = Status(
                id=new_id,
                text=text,
                language=rules.language_of(body.get("language")),
                visibility=visibility,
                media=[each.id for each in media],
                created_at=now,
                url=f"{_root(request)}/@{AUTHOR}/{new_id}",
            )
            self._store.statuses[new_id] = status
            for attachment in media:
                attachment.status_id = new_id
            if key:
                self._keys[key] = (new_id, now)
        return await self._faults.after(request, "", web.json_response(self._seen(status, request)))

    async def _several(self, request: web.Request) -> web.StreamResponse:
        """Those of the named statuses that are there, in no particular order."""
        if early := self._faults.before("counts:"):
            return early
        ids = request.query.getall("id[]", [])
        if len(ids) > rules.MOST_NAMED:
            raise Refusal("Validation failed: too many statuses")
        found = [
            self._seen(status, request)
            for status in self._store.newest_first()
            if status.id in ids and not status.deleted
        ]
        return await self._faults.after(request, "counts:", web.json_response(found))

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("counts:"):
            return early
        answer = web.json_response(self._seen(self._store.live(request.match_info["id"]), request))
        return await self._faults.after(request, "counts:", answer)

    async def _source(self, request: web.Request) -> web.Response:
        status = self._store.live(request.match_info["id"])
        return web.json_response({"id": status.id, "text": status.text, "spoiler_text": ""})

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("edit:"):
            return early
        status = self._store.live(request.match_info["id"])
        body = await _json_body(request)
        text = rules.text_of(body)
        # As on the real server, an edit that does not name the attachments removes them.
        media = self._store.attachable(body, status)
        if not text.strip() and not media:
            raise Refusal("Validation failed: Text can't be blank")
        described = {str(each["id"]): each for each in body.get("media_attributes", [])}
        after = (
            text,
            rules.language_of(body.get("language", status.language)),
            [m.id for m in media],
        )
        words = [
            rules.description_of(described.get(each.id, {}).get("description", each.description))
            for each in media
        ]
        # An edit that changes nothing leaves no trace, as on the real server.
        if after != (status.text, status.language, status.media) or words != [
            each.description for each in media
        ]:
            status.edited_at = self._clock()
        for attachment, description in zip(media, words, strict=True):
            attachment.description, attachment.status_id = description, status.id
        status.text, status.language, status.media = after
        return await self._faults.after(
            request, "edit:", web.json_response(self._seen(status, request))
        )

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        status = self._store.live(request.match_info["id"])
        body = self._seen(status, request) | {"text": status.text}
        status.deleted = True
        return await self._faults.after(request, "delete:", web.json_response(body))

    async def _file(self, request: web.Request) -> web.Response:
        attachment = self._store.media.get(request.match_info["id"])
        if attachment is None:
            raise web.HTTPNotFound
        return web.Response(body=attachment.data, content_type=attachment.media_type)

    async def _page(self, request: web.Request) -> web.Response:
        status = self._store.statuses.get(request.match_info["id"])
        if status is None or status.deleted:
            raise web.HTTPNotFound
        root = html.escape(request.path.partition("/@")[0])
        images = "".join(
            f'<img src="{root}/media/{each.id}" alt="{html.escape(each.description)}">'
            for each in (self._store.media[media_id] for media_id in status.media)
        )
        page = f'<!doctype html><html lang="{status.language}"><meta charset="utf-8">'
        page += f"<title>{AUTHOR}</title><article dir=auto>{rules.rendered(status.text, root)}"
        return web.Response(text=f"{page}{images}</article></html>", content_type="text/html")


def _root(request: web.Request) -> str:
    """Our address as the caller reached it, with the path that we are mounted below."""
    return f"{request.url.origin()}{request.path.partition('/api/')[0]}"


async def _json_body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text='{"error":"Bad Request"}', content_type="application/json")
    return body
