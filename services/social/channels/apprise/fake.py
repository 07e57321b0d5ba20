"""A strict stand-in for two services that Apprise reaches: a Gotify server, and a receiver of its JSON posts.

Must never leave the loopback interface and never forget a message it took.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from services.social.channels.apprise import fake_rules as rules
from services.social.channels.apprise.fake_faults import Faults
from services.social.channels.apprise.fake_rules import Message, Refusal
from services.social.channels.base import VisiblePost
from services.social.channels.faults import CLOSING

TOKEN = "AsandboxTokenThatOpensNothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
NAME, PASSWORD = "herald", "sandbox-password"
AUTHOR = "Herald"


class AppriseFake:
    """See the module. `account` leads to the Gotify server, `json_address` to the other."""

    name = "apprise"

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self._clock = clock
        self._posts: list[VisiblePost] = []

    def account(self, base_url: str) -> dict[str, Any]:
        return {"url": f"gotify://{_place(base_url)}/{self.token}"}

    def json_address(self, base_url: str) -> str:
        """An address whose posts arrive as Apprise's JSON."""
        return f"json://{NAME}:{PASSWORD}@{_place(base_url)}/receive"

    def visible(self) -> list[VisiblePost]:
        return self.creations()

    def creations(self) -> list[VisiblePost]:
        return list(reversed(self._posts))

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        app.add_routes([web.post("/message", self._message), web.post("/receive", self._receive)])
        return app

    async def _message(self, request: web.Request) -> web.StreamResponse:
        """Gotify: the application's token in a header, the message back with its number."""
        try:
            if early := self._faults.before():
                return early
            given = request.headers.get("X-Gotify-Key", "")
            if not secrets.compare_digest(given.encode(), self.token.encode()):
                raise Refusal(401, "you need to provide a valid access token")
            post = self._take(request, rules.gotify(body := await rules.body_of(request)))
        except Refusal as refusal:
            return refusal.answer()
        if self._faults.take("not_taken"):
            return web.Response(status=202)
        date = post.created_at.isoformat()
        answer = web.json_response({"id": int(post.id), "appid": 1, **body, "date": date})
        return await self._faults.after(request, "", answer)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        try:
            if early := self._faults.before():
                return early
            if rules.signed_in(request) != (NAME, PASSWORD):
                raise Refusal(401, "sign in")
            self._take(request, rules.posted_json(await rules.body_of(request)))
        except Refusal as refusal:
            return refusal.answer()
        return await self._faults.after(request, "", web.Response(status=204))

    def _take(self, request: web.Request, message: Message) -> VisiblePost:
        now = self._clock()
        root = f"{request.url.origin()}{request.path.rpartition('/')[0]}"
        post = VisiblePost(
            id=str(len(self._posts) + 1),
            author=AUTHOR,
            text=message.seen,
            created_at=now,
            received_at=now,
            url=f"{root}/#/messages",  # the page of all: one of its own no message has
        )
        self._posts.append(post)
        return post


def _place(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.netloc}{parts.path.rstrip('/')}"
