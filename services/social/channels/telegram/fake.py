"""A strict stand-in for the Bot API with one bot and one chat; it refuses what the real one refuses.

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
from urllib.parse import urlsplit

from aiohttp import web

from services.social.channels.base import VisiblePost
from services.social.channels.faults import CLOSING
from services.social.channels.telegram import fake_rules as rules
from services.social.channels.telegram.fake_faults import MOVED_TO, Faults
from services.social.channels.telegram.fake_rules import Parsed, Refusal, Window, bad

TOKEN = "123456789:sandbox-token-that-opens-nothing-at-all"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""
BOT_ID, CHAT_ID, CHAT_NAME, TITLE = 123456789, -1001234567890, "herald_sandbox", "Herald"
MARKS = {"chat_id", "parse_mode"}


@dataclass(frozen=True)
class Message:
    """One message as it is now; `photo` is the key of its file, `preview` the address it shows a card of."""

    id: int
    chat_id: int
    content: Parsed
    created_at: datetime
    url: str
    photo: int | None = None
    preview: str | None = None
    edited_at: datetime | None = None
    deleted: bool = False


class TelegramFake:
    """See the module. `capacity` sets the messages in a second for the bot and in a minute for the chat."""

    name = "telegram"

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        capacity: dict[str, int] | None = None,
    ) -> None:
        self._faults = Faults()
        self.faults = self._faults.left
        self.fault_words = self._faults.words
        self.token = TOKEN
        self.posting_allowed = True
        self._clock = clock
        # Of a channel the network says only "about one a second, with bursts"; a test may set it.
        calls = {"bot": 30, "chat": 100_000} | (capacity or {})
        self._windows = [Window(calls["bot"], 1), Window(calls["chat"], 60)]
        self._messages: dict[int, Message] = {}
        self._files: list[bytes] = []

    def account(self, base_url: str) -> dict[str, Any]:
        return {"server": base_url, "web": base_url, "token": self.token, "chat": f"@{CHAT_NAME}"}

    def visible(self) -> list[VisiblePost]:
        return [post for post in self.creations() if not post.deleted]

    def creations(self) -> list[VisiblePost]:
        return [_as_seen(one) for one in reversed(self._messages.values())]

    def app(self) -> web.Application:
        # The body cap stands above the photo limit, so that the refusal comes in the network's words.
        app = web.Application(client_max_size=20 * 1024 * 1024)
        closing = app[CLOSING] = asyncio.Event()

        async def close(_: web.Application) -> None:
            closing.set()

        app.on_shutdown.append(close)
        app.add_routes(
            [
                web.post("/bot{token}/{method}", self._gate),
                web.get("/file/{number}", self._file),
                web.get(f"/{CHAT_NAME}/{{id}}", self._page),
            ]
        )
        return app

    async def _gate(self, request: web.Request) -> web.StreamResponse:
        """The token, then the act; refusals in the network's JSON."""
        acts: dict[str, Callable[..., Awaitable[web.StreamResponse]]] = {
            "getMe": self._get_me,
            "getChat": self._get_chat,
            "getChatMember": self._get_member,
            "sendMessage": self._send,
            "sendPhoto": self._send,
            "editMessageText": self._edit,
            "editMessageCaption": self._edit,
            "editMessageMedia": self._edit,
            "deleteMessage": self._delete,
        }
        try:
            token, method = request.match_info["token"], request.match_info["method"]
            if ":" not in token or method not in acts:
                raise Refusal(404, "Not Found")
            if not secrets.compare_digest(token.encode(), self.token.encode()):
                raise Refusal(401, "Unauthorized")
            return await acts[method](request, method, await _fields(request))
        except Refusal as refusal:
            body: dict[str, Any] = {
                "ok": False,
                "error_code": refusal.status,
                "description": str(refusal),
            }
            if refusal.parameters:
                body["parameters"] = refusal.parameters
            return web.json_response(body, status=refusal.status)

    async def _get_me(self, *_: Any) -> web.Response:
        return _result(
            {"id": BOT_ID, "is_bot": True, "first_name": TITLE, "username": "herald_bot"}
        )

    async def _get_chat(self, _: Any, __: str, given: dict[str, Any]) -> web.Response:
        return _result(_chat(_chat_id(given)))

    async def _get_member(self, _: Any, __: str, given: dict[str, Any]) -> web.Response:
        _chat_id(given)
        if str(given.get("user_id")) != str(BOT_ID):
            raise bad("user not found")
        if not self.posting_allowed:
            return _result({"status": "left"})
        return _result({"status": "administrator", "can_post_messages": True})

    async def _send(
        self, request: web.Request, method: str, given: dict[str, Any]
    ) -> web.StreamResponse:
        self._faults.before("")
        is_photo = method == "sendPhoto"
        _known(
            given, MARKS | ({"photo", "caption"} if is_photo else {"text", "link_preview_options"})
        )
        chat_id = _chat_id(given)
        if not self.posting_allowed:
            raise bad("need administrator rights in the channel chat")
        content, preview = _content(given, "caption" if is_photo else "text")
        photo = await self._kept(given.get("photo")) if is_photo else None
        for window in self._windows:
            window.hit(self._clock())
        number = len(self._messages) + 1
        root = f"{request.url.origin()}{request.path.partition('/bot')[0]}"
        message = self._messages[number] = Message(
            id=number,
            chat_id=chat_id,
            content=content,
            created_at=self._clock(),
            url=f"{root}/{CHAT_NAME}/{number}",
            photo=photo,
            preview=preview,
        )
        return await self._faults.after(request, "", _result(_json(message)))

    async def _edit(
        self, request: web.Request, method: str, given: dict[str, Any]
    ) -> web.StreamResponse:
        self._faults.before("edit:")
        before = self._live(given, "edit")
        photo, preview = before.photo, before.preview
        if method == "editMessageText":
            _known(given, MARKS | {"message_id", "text", "link_preview_options"})
            if photo is not None:
                raise bad("there is no text in the message to edit")
            content, preview = _content(given, "text")
        elif method == "editMessageCaption":
            _known(given, MARKS | {"message_id", "caption"})
            if photo is None:
                raise bad("there is no caption in the message to edit")
            content, _ = _content(given, "caption")
        else:
            _known(given, {"chat_id", "message_id", "media", "photo"})
            media = _object(given.get("media"), "media")
            _known(media, {"type", "media", "caption", "parse_mode"})
            if (media.get("type"), media.get("media")) != ("photo", "attach://photo"):
                raise bad("can't parse InputMedia: this stand-in takes only a photo sent along")
            content, _ = _content(media, "caption")
            photo, preview = await self._kept(given.get("photo")), None
        after = replace(before, content=content, photo=photo, preview=preview)
        if after == before:
            raise bad(
                "message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message"
            )
        after = self._messages[before.id] = replace(after, edited_at=self._clock())
        return await self._faults.after(request, "edit:", _result(_json(after)))

    async def _delete(
        self, request: web.Request, _: str, given: dict[str, Any]
    ) -> web.StreamResponse:
        self._faults.before("delete:")
        _known(given, {"chat_id", "message_id"})
        message = self._live(given, "delete")
        self._messages[message.id] = replace(message, deleted=True)
        return await self._faults.after(request, "delete:", _result(True))

    def _live(self, given: dict[str, Any], act: str) -> Message:
        chat_id = _chat_id(given)
        number = str(given.get("message_id", ""))
        message = self._messages.get(int(number)) if number.isdecimal() else None
        if message is None or message.deleted or message.chat_id != chat_id:
            raise bad(f"message to {act} not found")
        return message

    async def _kept(self, photo: Any) -> int:
        """The number of a photo's file; the same bytes are the same file, as on the network."""
        if not isinstance(photo, bytes):
            raise bad("there is no photo in the request")
        await asyncio.to_thread(rules.accepted_photo, photo)
        if photo not in self._files:
            self._files.append(photo)
        return self._files.index(photo)

    async def _file(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not number.isdecimal() or int(number) >= len(self._files):
            raise web.HTTPNotFound
        data = self._files[int(number)]
        kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
        return web.Response(body=data, content_type=kind)

    async def _page(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        message = self._messages.get(int(number)) if number.isdecimal() else None
        if message is None or message.deleted:
            raise web.HTTPNotFound
        page = f'<!doctype html><meta charset="utf-8"><title>{TITLE}</title><p dir="auto">'
        return web.Response(text=page + html.escape(message.content.text), content_type="text/html")


def _as_seen(message: Message) -> VisiblePost:
    card = None
    if message.preview:
        host = urlsplit(message.preview).netloc
        card = {"uri": message.preview, "title": host, "description": "", "image": ""}
    photo = message.photo
    return VisiblePost(
        id=str(message.id),
        author=TITLE,
        text=message.content.text,
        created_at=message.created_at,
        received_at=message.created_at,
        url=message.url,
        edited_at=message.edited_at,
        link=message.content.link,
        card=card,
        images=() if photo is None else ({"url": f"/file/{photo}", "alt": ""},),
        deleted=message.deleted,
    )


def _json(message: Message) -> dict[str, Any]:
    about = {"message_id": message.id, "date": int(message.created_at.timestamp())}
    return {**about, "chat": _chat(message.chat_id)}


def _chat(chat_id: int) -> dict[str, Any]:
    if chat_id == MOVED_TO:
        return {"id": chat_id, "type": "supergroup", "title": TITLE}
    return {"id": chat_id, "type": "channel", "title": TITLE, "username": CHAT_NAME}


def _chat_id(given: dict[str, Any]) -> int:
    chat = str(given.get("chat_id", ""))
    if not chat:
        raise bad("chat_id is empty")
    if chat in {f"@{CHAT_NAME}", str(CHAT_ID)}:
        return CHAT_ID
    if chat == str(MOVED_TO):
        return MOVED_TO
    raise bad("chat not found")


def _content(given: dict[str, Any], what: str) -> tuple[Parsed, str | None]:
    limit = rules.TEXT_UNITS if what == "text" else rules.CAPTION_UNITS
    content = rules.parsed(given.get(what, ""), given.get("parse_mode"), limit, what)
    if what == "caption":
        return content, None
    return content, rules.preview_of(given.get("link_preview_options"), content)


def _known(given: dict[str, Any], names: set[str]) -> None:
    if unknown := given.keys() - names:
        raise bad(f"unknown field {min(unknown)}")


def _object(value: Any, name: str) -> dict[str, Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise bad(f"can't parse {name} JSON object")
    return found


async def _fields(request: web.Request) -> dict[str, Any]:
    """The parameters of a call, from JSON or a form; files as bytes."""
    if request.content_type == "multipart/form-data":
        given: dict[str, Any] = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                with value.file:
                    given[name] = value.file.read()
            else:
                given[name] = value
        return given
    if not request.can_read_body:
        return {}
    return _object(await request.text(), "request")


def _result(value: Any) -> web.Response:
    return web.json_response({"ok": True, "result": value})
