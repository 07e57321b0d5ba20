"""A strict stand-in for Discord with one webhook; it refuses what the real one refuses.

Must never leave the loopback interface and never forget a post it made, deleted or not.
"""

from __future__ import annotations

import asyncio
import html
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from services.social.channels.base import VisiblePost
from services.social.channels.discord import fake_rules as rules
from services.social.channels.discord.fake_faults import Faults, limited
from services.social.channels.discord.fake_rules import Bucket, Form, Refusal
from services.social.channels.faults import CLOSING

WEBHOOK_ID, GUILD_ID, CHANNEL_ID = "223704706495545344", "199737254929760256", "199737254929760257"
TOKEN = "sandbox-webhook-token-that-opens-nothing"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
NAME = "Herald"
EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Message:
    """One message as it is now. `files` are numbers of what was uploaded, in order."""

    id: str
    form: Form
    files: tuple[int, ...]
    created_at: datetime
    url: str
    edited_at: datetime | None = None
    deleted: bool = False


class DiscordFake:
    """See the module. `capacity` is how many calls the webhook has in two seconds."""

    name = "discord"

    def __init__(
        self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), capacity: int = 5
    ) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.kind = 1
        self.pinged: list[str] = []
        """Everybody whom a message has called."""
        self._clock = clock
        self._bucket = Bucket(capacity, 2.0)
        self._messages: dict[str, Message] = {}
        self._uploads: list[bytes] = []

    def account(self, base_url: str) -> dict[str, Any]:
        return {"server": base_url, "webhook_id": WEBHOOK_ID, "webhook_token": self.token}

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        return [_as_seen(one) for one in reversed(self._messages.values())]

    def app(self) -> web.Application:
        # The body cap stands above the file limit, so that the refusal comes in the network's words.
        app = web.Application(middlewares=[self._gate], client_max_size=32 * 1024 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        hook = "/api/v10/webhooks/{hook}/{token}"
        app.add_routes(
            [
                web.get(hook, self._show_hook, allow_head=False),
                web.post(hook, self._create),
                web.get(f"{hook}/messages/{{id}}", self._show, allow_head=False),
                web.patch(f"{hook}/messages/{{id}}", self._edit),
                web.delete(f"{hook}/messages/{{id}}", self._delete),
                web.get("/attachments/{number}", self._file),
                web.get(f"/channels/{GUILD_ID}/{CHANNEL_ID}/{{id}}", self._page),
            ]
        )
        return app

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The caller's name, the webhook, its limit, then the act; refusals in the network's JSON."""
        if "hook" not in request.match_info:
            return await handler(request)
        now = self._clock()
        try:
            if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
                raise Refusal(403, 40333, "internal network error")
            if request.match_info["hook"] != WEBHOOK_ID:
                raise Refusal(404, 10015, "Unknown Webhook")
            token = request.match_info["token"]
            if not secrets.compare_digest(token.encode(), self.token.encode()):
                raise Refusal(401, 50027, "Invalid Webhook Token")
            wait = self._bucket.hit(now) if request.method != "GET" else None
            answer = await handler(request) if wait is None else limited(round(wait, 3))
        except Refusal as refusal:
            answer = web.json_response(refusal.body, status=refusal.status)
        if request.method != "GET":
            for name, value in self._bucket.headers(now).items():
                answer.headers.setdefault(name, value)
        return answer

    async def _show_hook(self, _: web.Request) -> web.Response:
        where = {"guild_id": GUILD_ID, "channel_id": CHANNEL_ID}
        return web.json_response({"id": WEBHOOK_ID, "type": self.kind, "name": NAME, **where})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before(""):
            return early
        form, files = await self._read(request)
        now = self._clock()
        # The network's ids are milliseconds since 2015 and a sequence.
        milliseconds = int((now - EPOCH).total_seconds() * 1000)
        number = str(max([milliseconds << 22, *(int(known) + 1 for known in self._messages)]))
        root = f"{request.url.origin()}{request.path.partition('/api/')[0]}"
        url = f"{root}/channels/{GUILD_ID}/{CHANNEL_ID}/{number}"
        self._messages[number] = Message(number, form, files, now, url)
        self._ping(form)
        # Who does not wait is told nothing, whatever becomes of the message.
        waits = request.query.get("wait") == "true"
        answer = _message(self._messages[number]) if waits else web.Response(status=204)
        return await self._faults.after(request, "", answer)

    async def _show(self, request: web.Request) -> web.Response:
        return _message(self._live(request))

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("edit:"):
            return early
        message = self._live(request)
        form, files = await self._read(request)
        after = replace(message, form=form, files=files, edited_at=self._clock())
        self._messages[message.id] = after
        self._ping(form)
        return await self._faults.after(request, "edit:", _message(after))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if early := self._faults.before("delete:"):
            return early
        message = self._live(request)
        self._messages[message.id] = replace(message, deleted=True)
        return await self._faults.after(request, "delete:", web.Response(status=204))

    def _live(self, request: web.Request) -> Message:
        message = self._messages.get(request.match_info["id"])
        if message is None or message.deleted:
            raise Refusal(404, 10008, "Unknown Message")
        return message

    async def _read(self, request: web.Request) -> tuple[Form, tuple[int, ...]]:
        body, files = await _parts(request)
        form = rules.checked(body, list(files))
        if any(len(data) > rules.FILE_BYTES for data in files.values()):
            raise Refusal(413, 40005, "Request entity too large")
        numbers = tuple(range(len(self._uploads), len(self._uploads) + len(files)))
        self._uploads += files.values()
        return form, numbers

    def _ping(self, form: Form) -> None:
        if form.parse is None or form.parse:
            self.pinged += rules.rendered(form.content).pings

    async def _file(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not number.isdecimal() or int(number) >= len(self._uploads):
            raise web.HTTPNotFound
        data = self._uploads[int(number)]
        headers = {"X-Content-Type-Options": "nosniff"}
        return web.Response(body=data, content_type=rules.media_type_of(data), headers=headers)

    async def _page(self, request: web.Request) -> web.Response:
        message = self._messages.get(request.match_info["id"])
        if message is None or message.deleted:
            raise web.HTTPNotFound
        page = f'<!doctype html><meta charset="utf-8"><title>{NAME}</title><p dir="auto">'
        text = html.escape(_as_seen(message).text)
        return web.Response(text=page + text, content_type="text/html")


def _as_seen(message: Message) -> VisiblePost:
    content = rules.rendered(message.form.content)
    embed: dict[str, Any] = message.form.embeds[0] if message.form.embeds else {}
    title, about = (rules.rendered(embed.get(name, "")).text for name in ("title", "description"))
    files = [f"/attachments/{number}" for number in message.files]
    # An embed shows the file that it names; what it does not name stands below as an attachment.
    named = str(embed.get("image", {}).get("url", ""))
    within = files.pop(0) if named.startswith("attachment://") else named
    card = {"uri": embed.get("url", ""), "title": title, "description": about, "image": within}
    alts = message.form.alts[len(message.files) - len(files) :]
    return VisiblePost(
        id=message.id,
        author=NAME,
        text="\n\n".join(part for part in (content.text, title, about) if part),
        created_at=message.created_at,
        received_at=message.created_at,
        url=message.url,
        edited_at=message.edited_at,
        link=content.link or embed.get("url"),
        card=card if embed else None,
        images=tuple({"url": url, "alt": alt} for url, alt in zip(files, alts, strict=True)),
        deleted=message.deleted,
    )


def _message(message: Message) -> web.Response:
    return web.json_response(
        {
            "id": message.id,
            "type": 0,
            "content": message.form.content,
            "channel_id": CHANNEL_ID,
            "webhook_id": WEBHOOK_ID,
            "flags": message.form.flags,
            "timestamp": message.created_at.isoformat(),
        }
    )


async def _parts(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The message, and the files by name."""
    files: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        raw: Any = None
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                if name != f"files[{len(files)}]":
                    raise rules.invalid(**{name: "Files are called files[0], files[1], …"})
                with value.file:
                    files[value.filename] = value.file.read()
            elif name == "payload_json":
                raw = value
            else:
                raise rules.invalid(**{name: "This field is not known."})
    else:
        raw = await request.text()
    try:
        body = json.loads(raw or "")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, 50109, "The request body contains invalid JSON.")
    return body, files
