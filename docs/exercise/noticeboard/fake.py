"""A strict stand-in for a board with one desk; it refuses what the real one refuses.

Must never leave the loopback interface and never forget a notice, taken down or not.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from services.social.channels.base import VisiblePost
from services.social.channels.faults import CLOSING, FaultSwitches

TOKEN = "noticeboard-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
DESK = "The news desk"
MOST = 500


def said(status: int, problem: str, headers: dict[str, str] | None = None) -> web.Response:
    """A refusal in the board's form."""
    return web.json_response({"problem": problem}, status=status, headers=headers)


class Faults(FaultSwitches):
    """In the board's own dialect."""

    def __init__(self) -> None:
        super().__init__(("", "edit:", "delete:", "read:"))

    def before(self, request: str) -> web.Response | None:
        """Faults that act before anything was done."""
        if self.take(f"{request}error_before"):
            return said(503, "the caretaker is away")
        if self.take(f"{request}rate_limited"):
            return said(429, "one at a time", {"Retry-After": "2"})
        if self.take(f"{request}auth_dead"):
            return said(401, "unauthorized: the token was withdrawn")
        if self.take(f"{request}refuse"):
            return said(422, "this is not what the board is for")
        return None

    def broken(self) -> web.StreamResponse:
        return said(500, "the board fell down")


class NoticeboardFake:
    """See the module."""

    name = "noticeboard"

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self._clock = clock
        self._notices: dict[str, VisiblePost] = {}

    def account(self, base_url: str) -> dict[str, Any]:
        return {"server": base_url, "token": TOKEN}

    def visible(self) -> list[VisiblePost]:
        return [notice for notice in self.creations() if not notice.deleted]

    def creations(self) -> list[VisiblePost]:
        return list(reversed(self._notices.values()))

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        app.add_routes(
            [web.get("/desk", self._desk), web.route("*", "/notices/{key}", self._notice)]
        )
        return app

    async def _desk(self, request: web.Request) -> web.Response:
        return _refused(request) or web.json_response({"name": DESK})

    async def _notice(self, request: web.Request) -> web.StreamResponse:
        if refusal := _refused(request):
            return refusal
        key = request.match_info["key"]
        there = self._notices.get(key)
        creating = request.method == "PUT" and there is None
        prefix = {"GET": "read:", "DELETE": "delete:"}.get(request.method, "edit:")
        fault = "" if creating else prefix
        if early := self._faults.before(fault):
            return early
        if request.method == "PUT":
            answer = await self._put(request, key, there)
        elif request.method not in {"GET", "DELETE"}:
            return said(405, "a notice is put, read or deleted")
        elif there is None or there.deleted:
            return said(404, "there is no such notice")
        elif request.method == "DELETE":
            self._notices[key] = replace(there, deleted=True)
            answer = web.Response(status=204)
        else:
            answer = web.json_response({"page": there.url})
        if answer.status >= 400:
            return answer
        return await self._faults.after(request, fault, answer)

    async def _put(self, request: web.Request, key: str, there: VisiblePost | None) -> web.Response:
        try:
            body = json.loads(await request.text())
        except ValueError:
            return said(400, "the body is not JSON")
        if not isinstance(body, dict) or body.keys() != {"text"} or type(body["text"]) is not str:
            return said(400, "a notice has a text and nothing else")
        text = body["text"]
        if not text.strip() or len(text) > MOST:
            return said(422, f"a text has 1 to {MOST} characters")
        if there is not None and there.deleted:
            return said(409, "this notice was taken down")
        now, page = self._clock(), f"{request.url.origin()}{request.path}"
        if there is None:
            self._notices[key] = VisiblePost(key, DESK, text, now, now, page)
        elif there.text != text:
            self._notices[key] = replace(there, text=text, edited_at=now)
        return web.json_response({"page": page}, status=201 if there is None else 200)


def _refused(request: web.Request) -> web.Response | None:
    if request.headers.get("Authorization") == f"Bearer {TOKEN}":
        return None
    return said(401, "unauthorized: no such token")
