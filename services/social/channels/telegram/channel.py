"""Performs one Telegram post, edit or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp

from services.social.channels.base import (
    FetchMedia,
    Intent,
    Payload,
    Posted,
    RateBudget,
    Wording,
)
from services.social.channels.fetching import fetched, unchanged
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.telegram.client import BotClient
from services.social.channels.telegram.compose import (
    PHOTOS,
    MessagePayload,
    Photo,
    Remembered,
    best_rendition,
    compose,
    length,
)
from services.social.channels.telegram.settings import TelegramSettings
from shared.contracts.articles import LeadImage
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, GiveUp, OutcomeUnknown

UNCHANGED = ("message is not modified",)
GONE = ("message to delete not found", "message_id_invalid")
PRIVATE_PREFIX = "-100"
"""Begins the ids of channels and supergroups; their message links carry the rest."""


class TelegramChannel:
    """One chat. The network has neither keys nor history for bots: an unknown post is for a person."""

    def __init__(
        self, settings: TelegramSettings, http: aiohttp.ClientSession, fetch: FetchMedia
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self.budget: RateBudget | None = None
        """Stays None: the network tells its limits only by refusing."""
        self._client = BotClient(settings, http)

    async def compose(self, intent: Intent) -> Payload | None:
        if intent.operation is Operation.DELETE:
            return {"delete": intent.posted.remote_id} if intent.posted else None
        before = None
        if intent.operation is Operation.EDIT:
            if intent.posted is None:
                raise GiveUp("nothing is known of the post to change")
            before = Remembered.model_validate(intent.posted.extra)
        lead = intent.article.lead_image if self._settings.media == "photo" else None
        photo = await self._photo(lead) if lead else None
        frozen = compose(
            intent.article,
            settings=self._settings,
            photo=photo,
            before=before,
            correction=before is not None and intent.change == "correction",
        )
        payload = frozen.model_dump(mode="json") if frozen else None
        if payload and before is None and lead and photo is None:
            payload[LEFT_OUT] = PHOTOS.left_out("Telegram")
        return payload

    def wording(self, payload: Payload) -> Wording:
        frozen = MessagePayload.model_validate(payload)
        return Wording(frozen.text, length(frozen.text), frozen.limit)

    async def post(self, payload: Payload) -> Posted:
        frozen = MessagePayload.model_validate(payload)
        chat = self._client.chat
        if frozen.photo:
            form = await self._form(frozen.photo, chat_id=str(chat), **_caption(frozen))
            message = await self._client.ask("sendPhoto", mutation=True, data=form, follow=True)
        else:
            body = {"chat_id": chat, **_text(frozen)}
            message = await self._client.ask("sendMessage", mutation=True, json=body, follow=True)
        return self._posted(message, frozen)

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        frozen = MessagePayload.model_validate(payload)
        if frozen.photo:
            media = {"type": "photo", "media": "attach://photo", **_caption(frozen)}
            which = {name: str(value) for name, value in self._which(posted).items()}
            form = await self._form(frozen.photo, **which, media=json.dumps(media))
            await self._change(posted, "editMessageMedia", UNCHANGED, data=form)
        else:
            text = frozen.kind == "text"
            method = "editMessageText" if text else "editMessageCaption"
            body = self._which(posted) | (_text(frozen) if text else _caption(frozen))
            await self._change(posted, method, UNCHANGED, json=body)
        known = Remembered.model_validate(posted.extra)
        extra = frozen.remembered(known.chat, known.chat_id)
        return posted.model_copy(update={"extra": extra})

    async def delete(self, posted: Posted) -> None:
        await self._change(posted, "deleteMessage", GONE, json=self._which(posted))

    async def find(self, payload: Payload) -> Posted | None:
        raise OutcomeUnknown("the network shows a bot no messages, so only a person can look")

    async def check(self) -> str:
        """The chat's title. Raises `AuthDead` unless the bot may post there."""
        bot = await self._client.ask("getMe")
        chat = await self._client.ask("getChat", json={"chat_id": self._client.chat})
        member = await self._client.ask(
            "getChatMember", json={"chat_id": chat["id"], "user_id": bot["id"]}
        )
        admin = member["status"] == "creator" or member.get("can_post_messages") is True
        if (chat["type"] == "channel" and not admin) or member["status"] in {"left", "kicked"}:
            raise AuthDead(
                "the bot is no administrator of the chat with the right to post messages"
            )
        return str(chat.get("title") or chat["id"])

    async def _change(
        self, posted: Posted, method: str, done_already: tuple[str, ...], **content: Any
    ) -> None:
        try:
            await self._client.ask(method, mutation=True, done_already=done_already, **content)
        except AuthDead as error:
            if Remembered.model_validate(posted.extra).chat in {None, str(self._client.chat)}:
                raise
            # A chat of the past that lets us in no more says nothing about the account.
            raise GiveUp(error.reason) from error

    def _which(self, posted: Posted) -> dict[str, Any]:
        """The message where it was posted, whatever chat the account is connected to by now."""
        chat_id = Remembered.model_validate(posted.extra).chat_id
        return {"chat_id": chat_id or self._client.chat, "message_id": int(posted.remote_id)}

    def _posted(self, message: Any, frozen: MessagePayload) -> Posted:
        try:
            chat_id, message_id = int(message["chat"]["id"]), int(message["message_id"])
        except (TypeError, KeyError, ValueError) as error:
            raise OutcomeUnknown("a success without the message that belongs to it") from error
        url = None
        if username := message["chat"].get("username"):
            url = f"{self._settings.web}/{username}/{message_id}"
        elif str(chat_id).startswith(PRIVATE_PREFIX):
            inner = str(chat_id).removeprefix(PRIVATE_PREFIX)
            url = f"{self._settings.web}/c/{inner}/{message_id}"
        extra = frozen.remembered(str(self._client.chat), chat_id)
        return Posted(remote_id=str(message_id), url=url, extra=extra)

    async def _photo(self, lead: LeadImage) -> Photo | None:
        rendition = best_rendition(lead)
        if rendition is None:
            return None
        return Photo.of(rendition, await fetched(rendition.url, self._fetch))

    async def _form(self, photo: Photo, **fields: str) -> aiohttp.FormData:
        data = await unchanged(photo, self._fetch)
        form = aiohttp.FormData()
        for name, value in fields.items():
            form.add_field(name, value)
        # A stream, because a large value in memory would hold up the event loop while it is sent.
        stream = io.BytesIO(data)
        form.add_field("photo", stream, filename=photo.filename, content_type=photo.media_type)
        return form


def _caption(frozen: MessagePayload) -> dict[str, str]:
    return {"caption": frozen.html, "parse_mode": "HTML"}


def _text(frozen: MessagePayload) -> dict[str, Any]:
    preview = {"url": frozen.link, "prefer_large_media": True}
    return {"text": frozen.html, "parse_mode": "HTML", "link_preview_options": preview}
