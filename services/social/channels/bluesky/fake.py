"""A strict stand-in for a Bluesky server with one account; it refuses what the real one refuses.

Never leaves the loopback interface and never answers a request that it does not understand.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from services.social.channels.base import VisiblePost
from services.social.channels.bluesky import fake_wire as wire
from services.social.channels.bluesky.fake_account import (
    DID,
    HANDLE,
    FakeSessions,
    Limited,
    Window,
)
from services.social.channels.bluesky.fake_lexicon import Invalid
from services.social.channels.bluesky.fake_repo import COLLECTION, FakeRepo
from services.social.channels.counting import Reactions
from services.social.channels.faults import CLOSING, FaultSwitches

TID = re.compile(r"^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$")
BLOB_BYTES = 5 * 1024 * 1024
"""The PDS's default upload limit."""
AT_URI = re.compile(r"^at://did:[a-z]+:[A-Za-z0-9._:%-]+/[a-zA-Z.]+/[A-Za-z0-9._~-]+$")
MOST_POSTS = 25
COUNTED = {
    "likeCount": "likes",
    "repostCount": "reposts",
    "replyCount": "replies",
    "quoteCount": "quotes",
    "bookmarkCount": "saves",
}
POINTS = {"com.atproto.repo.putRecord": 2, "com.atproto.repo.deleteRecord": 1}
INJECTED_PAUSE_SECONDS = 2
"""How far away the reset is when `rate_limited` is injected."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Act = Callable[[], dict[str, Any]]


class Faults(FaultSwitches):
    """In XRPC's dialect."""

    def __init__(self) -> None:
        super().__init__(
            ("", "edit:", "delete:", "blob:", "counts:"),
            {
                "expired_token": "is refused because the session's token ran out, which a new one cures"
            },
        )

    def broken(self) -> web.StreamResponse:
        return wire.refusal(500, "InternalServerError", "Internal Server Error")


class BlueskyFake:
    """See the module. `capacity` sets the points or calls of the windows named in `_windows`.

    Beyond FAULTS it knows `edit:…` (hits the reply that carries a correction), `delete:…`,
    `blob:…` (hits uploadBlob), `counts:…` (hits getPosts) and `expired_token` (ends the token of
    the next authorised call).
    """

    name = "bluesky"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        capacity: dict[str, int] | None = None,
    ) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.sessions = FakeSessions(clock)
        self._clock = clock
        self._repo = FakeRepo()
        self._reactions = Reactions()
        documented = {
            "requests": (3000, 300),
            "sessions": (30, 300),
            "sessions-day": (300, 86_400),
            "writes-hour": (5000, 3600),
            "writes-day": (35_000, 86_400),
        }
        self._windows = {
            name: Window((capacity or {}).get(name, points), seconds)
            for name, (points, seconds) in documented.items()
        }

    def account(self, base_url: str) -> dict[str, Any]:
        return {
            "server": base_url,
            "web": base_url,
            "identifier": HANDLE,
            "app_password": self.sessions.password,
        }

    def visible(self) -> list[VisiblePost]:
        return [post for post in self._repo.posts() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        return self._repo.posts()

    def react(self, post_id: str, **counts: int) -> None:
        self._reactions.add(post_id, **counts)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate], client_max_size=2 * BLOB_BYTES)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        server, repo = "/xrpc/com.atproto.server", "/xrpc/com.atproto.repo"
        app.add_routes(
            [
                web.post(f"{server}.createSession", self._create_session),
                web.post(f"{server}.refreshSession", self._refresh_session),
                web.get(f"{server}.getSession", self._get_session, allow_head=False),
                web.post(f"{repo}.uploadBlob", self._upload),
                web.post(f"{repo}.putRecord", self._put),
                web.get(f"{repo}.getRecord", self._get, allow_head=False),
                web.post(f"{repo}.deleteRecord", self._delete),
                web.get("/xrpc/app.bsky.feed.getPosts", self._posts, allow_head=False),
                web.get("/blobs/{cid}", self._file),
                web.get("/profile/{actor}/post/{rkey}", self._page),
            ]
        )
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Windows, then the token, then the act; every refusal in the server's JSON."""
        root, api, method = request.path.partition("/xrpc/")
        request[wire.ROOT] = f"{request.url.origin()}{root}"
        if not api:
            return await handler(request)
        windows: list[Window] = [self._windows["requests"]]
        if method.endswith(".createSession"):
            windows += [self._windows["sessions"], self._windows["sessions-day"]]
        if method in POINTS:
            windows += [self._windows["writes-hour"], self._windows["writes-day"]]
        try:
            if not method.endswith((".createSession", ".refreshSession")):
                self._authorise(request)
            for window in windows:
                window.spend(POINTS.get(method, 1), self._clock())
            answer = await handler(request)
        except Limited as limited:
            answer, windows = wire.refusal(429, "RateLimitExceeded", str(limited)), [limited.window]
        except PermissionError as error:
            answer = wire.refusal(401, "AuthenticationRequired", str(error))
        except Invalid as invalid:
            answer = wire.refusal(400, invalid.name, str(invalid))
        except web.HTTPRequestEntityTooLarge:
            answer = wire.refusal(413, "PayloadTooLarge", "request entity too large")
        except web.HTTPNotFound:
            answer = wire.refusal(501, "MethodNotImplemented", "Method Not Implemented")
        tightest = min(windows, key=lambda window: window.remaining)
        for name, value in tightest.headers().items():
            answer.headers.setdefault(name, value)
        return answer

    def _authorise(self, request: web.Request) -> None:
        token = wire.bearer(request)
        if self._faults.take("expired_token"):
            self.sessions.expire(token)
        self.sessions.authorise(token)

    async def _create_session(self, request: web.Request) -> web.Response:
        body = await wire.read_json(request, {"identifier", "password"}, {"authFactorToken"})
        return wire.answer(self.sessions.create(body["identifier"], body["password"]))

    async def _refresh_session(self, request: web.Request) -> web.Response:
        return wire.answer(self.sessions.refresh(wire.bearer(request)))

    async def _get_session(self, _: web.Request) -> web.Response:
        return wire.answer({"did": DID, "handle": HANDLE, "active": True})

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        if len(data) > BLOB_BYTES:
            return wire.refusal(413, "PayloadTooLarge", "request entity too large")
        kind = request.content_type
        return await self._act(request, "blob:", lambda: {"blob": self._repo.upload(data, kind)})

    async def _put(self, request: web.Request) -> web.StreamResponse:
        optional = {"validate", "swapRecord", "swapCommit"}
        body = await wire.read_json(request, {"repo", "collection", "rkey", "record"}, optional)
        rkey, record = _key(body), body["record"]

        def act() -> dict[str, Any]:
            cid = self._repo.put(rkey, record, body, self._clock(), request[wire.ROOT])
            uri = f"at://{DID}/{COLLECTION}/{rkey}"
            return {"uri": uri, "cid": cid, "validationStatus": "valid"}

        call = "edit:" if isinstance(record, dict) and "reply" in record else ""
        return await self._act(request, call, act)

    async def _get(self, request: web.Request) -> web.Response:
        return wire.answer(self._repo.get(_key(dict(request.query))))

    async def _posts(self, request: web.Request) -> web.StreamResponse:
        """The AppView's hydrated posts; one that is gone is left out without a word."""
        uris = request.query.getall("uris", [])
        if not 1 <= len(uris) <= MOST_POSTS or not all(AT_URI.match(uri) for uri in uris):
            raise Invalid("Error: uris must be 1 to 25 valid at-uris")

        def act() -> dict[str, Any]:
            there = {post.id: post for post in self.visible()}
            return {
                "posts": [
                    {
                        "uri": uri,
                        "author": {"did": DID, "handle": HANDLE},
                        "record": {"text": there[uri].text},
                        **self._reactions.told(uri, COUNTED),
                    }
                    for uri in uris
                    if uri in there
                ]
            }

        return await self._act(request, "counts:", act)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        body = await wire.read_json(
            request, {"repo", "collection", "rkey"}, {"swapRecord", "swapCommit"}
        )
        rkey = _key(body)

        def act() -> dict[str, Any]:
            self._repo.delete(rkey)
            return {}

        return await self._act(request, "delete:", act)

    async def _file(self, request: web.Request) -> web.Response:
        blob = self._repo.blobs.get(request.match_info["cid"])
        if blob is None:
            raise web.HTTPNotFound
        headers = {"X-Content-Type-Options": "nosniff"}
        return web.Response(body=blob.data, content_type=blob.media_type, headers=headers)

    async def _page(self, request: web.Request) -> web.Response:
        ending = f"/{request.match_info['rkey']}"
        post = next((one for one in self.visible() if one.id.endswith(ending)), None)
        if post is None:
            raise web.HTTPNotFound
        text = f'<!doctype html><meta charset="utf-8"><p dir="auto">{html.escape(post.text)}'
        return web.Response(text=text, content_type="text/html")

    async def _act(self, request: web.Request, call: str, act: Act) -> web.StreamResponse:
        """Perform `act`, or fail around it as the next injected fault of this call says."""
        if self._faults.take(f"{call}error_before"):
            return wire.refusal(503, "UpstreamFailure", "Service Unavailable")
        if self._faults.take(f"{call}rate_limited"):
            resets = self._clock() + timedelta(seconds=INJECTED_PAUSE_SECONDS)
            limited = wire.refusal(429, "RateLimitExceeded", "Rate Limit Exceeded")
            limited.headers["ratelimit-remaining"] = "0"
            limited.headers["ratelimit-reset"] = str(int(resets.timestamp()))
            return limited
        if self._faults.take(f"{call}auth_dead"):
            raise Invalid("Token could not be verified", "InvalidToken")
        if self._faults.take(f"{call}refuse"):
            raise Invalid("The request was refused by a fault")
        return await self._faults.after(request, call, wire.answer(act()))


def _key(names: dict[str, Any]) -> str:
    if names.get("repo") not in {DID, HANDLE}:
        raise Invalid(f"Could not find repo: {names.get('repo')}", "RepoNotFound")
    if names.get("collection") != COLLECTION:
        raise Invalid(f"This stand-in keeps only {COLLECTION}")
    rkey = names.get("rkey")
    if not isinstance(rkey, str) or not TID.match(rkey):
        raise Invalid("Invalid record key: must be a TID")
    return rkey
