"""A strict stand-in for Slack with one workspace, bot and channel; it refuses what the real one refuses.

Must never leave the loopback interface and never forget a post it made, deleted or not.
"""

from __future__ import annotations

import asyncio
import html
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from services.social.channels.base import VisiblePost
from services.social.channels.counting import Reactions
from services.social.channels.faults import CLOSING
from services.social.channels.slack import fake_rules as rules
from services.social.channels.slack.fake_faults import Faults, limited
from services.social.channels.slack.fake_images import ImageStore
from services.social.channels.slack.fake_rules import Form, Refusal, Window

TOKEN = "xoxb-sandbox-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
BOT, CHANNEL, AUTHOR = "B0HERALD01", "C0HERALD01", "Herald"
WRITING = "chat.postMessage", "chat.update", "chat.delete"
SCOPES = {
    "conversations.history": "channels:history",
    "reactions.get": "reactions:read",
} | dict.fromkeys(WRITING, "chat:write")


@dataclass(frozen=True)
class Message:
    """One message as it is now; `bot` is who wrote it."""

    ts: str
    form: Form
    created_at: datetime
    url: str
    bot: str = BOT
    edited_at: datetime | None = None
    deleted: bool = False


class SlackFake:
    """See the module. `capacity` is how many posts the workspace takes in a minute."""

    name = "slack"

    def __init__(
        self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), capacity: int = 300
    ) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.scopes = "chat:write,channels:history,reactions:read"
        self._clock = clock
        self._window = Window(capacity, 60)
        self._messages: dict[str, Message] = {}
        self._images = ImageStore()
        self._reactions = Reactions()

    def account(self, base_url: str) -> dict[str, Any]:
        return {"server": base_url, "token": self.token, "channel": CHANNEL}

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        ours = (one for one in reversed(self._messages.values()) if one.bot == BOT)
        return [self._as_seen(one) for one in ours]

    def say(self, text: str) -> None:
        """Somebody else writes in the channel."""
        self._add(rules.checked({"text": text}, rules.POST), "", "B0SOMEBODY")

    def react(self, post_id: str, **counts: int) -> None:
        self._reactions.add(post_id, **counts)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._gate),
                web.get("/files/{number}", self._file),
                web.get(f"/archives/{CHANNEL}/{{p}}", self._page),
            ]
        )
        return app

    async def _gate(self, request: web.Request) -> web.StreamResponse:
        """The token, then the act; refusals in the network's JSON, most of them with HTTP 200."""
        acts: dict[str, Callable[..., Awaitable[web.StreamResponse]]] = {
            "auth.test": self._who,
            "conversations.history": self._history,
            "reactions.get": self._reacted,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
        }
        method = request.match_info["method"]
        try:
            if method not in acts:
                raise Refusal("unknown_method")
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Bearer" or not token:
                raise Refusal("not_authed")
            if not secrets.compare_digest(token.encode(), self.token.encode()):
                raise Refusal("invalid_auth")
            needed = SCOPES.get(method)
            if needed and needed not in self.scopes.split(","):
                raise Refusal("missing_scope", needed=needed, provided=self.scopes)
            given = await _arguments(request, method)
            if method != "auth.test" and given.get("channel") != CHANNEL:
                raise Refusal("channel_not_found")
            answer = await acts[method](request, given)
        except Refusal as refusal:
            answer = web.json_response(refusal.body, status=refusal.status)
        answer.headers.setdefault("X-OAuth-Scopes", self.scopes)
        return answer

    async def _who(self, request: web.Request, _: dict[str, Any]) -> web.Response:
        about = {"team": "Newsroom", "user": "herald", "team_id": "T0HERALD01", "bot_id": BOT}
        return _ok({"url": f"{_root(request)}/", "user_id": "U0HERALD01", **about})

    async def _history(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        if early := self._faults.before("read:"):
            return early
        try:
            oldest, size = Decimal(given.get("oldest", "0")), int(given.get("limit", "100"))
            start = int(given.get("cursor") or "0")
        except (InvalidOperation, ValueError) as error:
            raise Refusal("invalid_arguments") from error
        if not 1 <= size <= 999:
            raise Refusal("invalid_limit")
        newest_first = reversed(self._messages.values())
        found = [m for m in newest_first if not m.deleted and Decimal(m.ts) > oldest]
        page = found[start : start + size]
        more = start + size < len(found)
        answer = _ok(
            {
                "messages": [
                    {"type": "message", "ts": m.ts, "bot_id": m.bot, "text": m.form.text}
                    for m in page
                ],
                "has_more": more,
                "response_metadata": {"next_cursor": str(start + size) if more else ""},
            }
        )
        return await self._faults.after(request, "read:", answer)

    async def _reacted(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        """A message with its reactions; without any, it has no such field."""
        if early := self._faults.before("counts:"):
            return early
        message = self._messages.get(str(given.get("timestamp", "")))
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        told: dict[str, Any] = {"type": "message", "ts": message.ts, "text": message.form.text}
        likes = self._reactions.told(message.ts, {"likes": "likes"})["likes"]
        if likes:
            hearts = likes // 2
            counted = {"+1": likes - hearts, "heart": hearts}
            told["reactions"] = [
                {"name": name, "users": ["U0READER01"], "count": count}
                for name, count in counted.items()
                if count
            ]
        answer = _ok({"type": "message", "channel": CHANNEL, "message": told})
        return await self._faults.after(request, "counts:", answer)

    async def _post(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        form = rules.checked(given, rules.POST)
        for url, _ in form.images:
            await self._images.keep(url)
        if wait := self._window.hit(self._clock()):
            return limited(wait)
        message = self._add(form, _root(request), BOT)
        return await self._faults.after(request, "", _done(message))

    async def _update(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        if early := self._faults.before("edit:"):
            return early
        message = self._live(given)
        form = rules.checked(given, rules.UPDATE)
        for url, _ in form.images:
            await self._images.keep(url)
        # Whether links are shown with a card is settled when a message is posted.
        form = replace(form, unfurled=message.form.unfurled)
        after = replace(message, form=form, edited_at=self._clock())
        self._messages[message.ts] = after
        return await self._faults.after(request, "edit:", _done(after))

    async def _delete(self, request: web.Request, given: dict[str, Any]) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        if unknown := given.keys() - rules.DELETE:
            raise Refusal("invalid_arguments", f"unsupported argument: {min(unknown)}")
        message = self._live(given)
        self._messages[message.ts] = replace(message, deleted=True)
        return await self._faults.after(request, "delete:", _done(message))

    def _live(self, given: dict[str, Any]) -> Message:
        message = self._messages.get(str(given.get("ts", "")))
        if message is None or message.deleted:
            raise Refusal("message_not_found")
        if message.bot != BOT:
            raise Refusal("cant_update_message")
        return message

    def _add(self, form: Form, root: str, bot: str) -> Message:
        now = self._clock()
        while (ts := f"{now.timestamp():.6f}") in self._messages:
            now += timedelta(microseconds=1)
        url = f"{root}/archives/{CHANNEL}/p{ts.replace('.', '')}"
        message = self._messages[ts] = Message(ts, form, now, url, bot)
        return message

    def _as_seen(self, message: Message) -> VisiblePost:
        form, shown = message.form, message.form.shown
        card = None
        if form.unfurled and shown.links:
            uri = shown.links[-1]
            card = {"uri": uri, "title": urlsplit(uri).netloc, "description": "", "image": ""}
        return VisiblePost(
            id=message.ts,
            author=AUTHOR,
            text=shown.text,
            created_at=message.created_at,
            received_at=message.created_at,
            url=message.url,
            edited_at=message.edited_at,
            link=shown.links[-1] if shown.links else None,
            card=card,
            images=tuple({"url": self._images.path(url), "alt": alt} for url, alt in form.images),
            deleted=message.deleted,
        )

    async def _file(self, request: web.Request) -> web.Response:
        found = self._images.file(request.match_info["number"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[0], content_type=found[1])

    async def _page(self, request: web.Request) -> web.Response:
        ending = f"/{request.match_info['p']}"
        post = next((one for one in self.visible() if one.url.endswith(ending)), None)
        if post is None:
            raise web.HTTPNotFound
        page = f'<!doctype html><meta charset="utf-8"><title>{AUTHOR}</title><p dir="auto">'
        return web.Response(text=page + html.escape(post.text), content_type="text/html")


def _root(request: web.Request) -> str:
    """Our address as the caller reached it, with the path that we are mounted below."""
    return f"{request.url.origin()}{request.path.partition('/api/')[0]}"


def _ok(body: dict[str, Any]) -> web.Response:
    return web.json_response({"ok": True, **body})


def _done(message: Message) -> web.Response:
    return _ok({"channel": CHANNEL, "ts": message.ts, "text": message.form.text})


async def _arguments(request: web.Request, method: str) -> dict[str, Any]:
    """Of a writing method from JSON, of a reading one from the query, as the network takes them."""
    if method not in WRITING:
        return dict(request.query)
    if request.content_type != "application/json":
        raise Refusal("invalid_post_type")
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal("invalid_json")
    return body
