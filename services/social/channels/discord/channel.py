"""Performs one Discord post, edit or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
from services.social.channels.discord.client import WebhookClient
from services.social.channels.discord.compose import (
    PICTURES,
    Image,
    MessagePayload,
    Remembered,
    best_rendition,
    compose,
    described,
)
from services.social.channels.discord.settings import DiscordSettings
from services.social.channels.fetching import fetched, unchanged
from services.social.channels.pictures import LEFT_OUT
from shared.contracts.articles import LeadImage
from shared.contracts.outlets import Operation
from shared.delivery.errors import GiveUp, OutcomeUnknown

KNOWN_LIVES = timedelta(hours=1)
INCOMING = 1
"""The type of a webhook that can be posted to."""
SUPPRESS_EMBEDS = 1 << 2
"""Keeps the network from adding a card of its own below our image."""


class DiscordChannel:
    """One webhook. It has neither keys nor a list of its messages: an unknown post is for a person."""

    def __init__(
        self,
        settings: DiscordSettings,
        http: aiohttp.ClientSession,
        fetch: FetchMedia,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self._clock = clock
        self.budget: RateBudget | None = None
        self._client = WebhookClient(settings, http, clock, self._heard)
        self._known: tuple[datetime, dict[str, Any]] | None = None

    async def compose(self, intent: Intent) -> Payload | None:
        if intent.operation is Operation.DELETE:
            return {"delete": intent.posted.remote_id} if intent.posted else None
        before = None
        if intent.operation is Operation.EDIT:
            if intent.posted is None:
                raise GiveUp("nothing is known of the post to change")
            before = Remembered.model_validate(intent.posted.extra)
        lead = intent.article.lead_image
        image = await self._image(lead) if lead else None
        frozen = compose(
            intent.article,
            settings=self._settings,
            image=image,
            before=before,
            correction=before is not None and intent.change == "correction",
        )
        if frozen is None:
            return None
        # Only the webhook itself tells the server that a message's address begins with.
        hook = await self._webhook()
        payload = {**frozen.model_dump(mode="json"), "guild_id": hook.get("guild_id")}
        if lead and image is None:
            payload[LEFT_OUT] = PICTURES.left_out("Discord")
        return payload

    def wording(self, payload: Payload) -> Wording:
        frozen = MessagePayload.model_validate(payload)
        return Wording(frozen.text, frozen.length, frozen.limit)

    async def post(self, payload: Payload) -> Posted:
        frozen = MessagePayload.model_validate(payload)
        # Without `wait` the network answers before it has looked, and hides every failure.
        message = await self._send("POST", "", frozen, params={"wait": "true"})
        try:
            number, room = str(message["id"]), str(message["channel_id"])
        except (TypeError, KeyError) as error:
            raise OutcomeUnknown("a success without the message that belongs to it") from error
        guild = payload.get("guild_id")
        url = f"{self._settings.server}/channels/{guild}/{room}/{number}" if guild else None
        return Posted(remote_id=number, url=url, extra=frozen.remembered())

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        frozen = MessagePayload.model_validate(payload)
        await self._send("PATCH", f"/messages/{posted.remote_id}", frozen)
        return posted.model_copy(update={"extra": frozen.remembered()})

    async def delete(self, posted: Posted) -> None:
        path = f"/messages/{posted.remote_id}"
        await self._client.ask("DELETE", path, mutation=True, gone_is_fine=True)

    async def find(self, payload: Payload) -> Posted | None:
        raise OutcomeUnknown("a webhook cannot list its messages, so only a person can look")

    async def check(self) -> str:
        """The webhook's name. Raises `GiveUp` for one that cannot be posted to."""
        hook = await self._client.ask("GET")
        if hook.get("type") != INCOMING:
            raise GiveUp("this webhook only follows another channel; it takes no posts")
        return str(hook.get("name") or hook["id"])

    def _heard(self, left: RateBudget) -> None:
        self.budget = left

    async def _webhook(self) -> dict[str, Any]:
        now = self._clock()
        if self._known is None or now - self._known[0] >= KNOWN_LIVES:
            self._known = now, await self._client.ask("GET")
        return self._known[1]

    async def _send(
        self, method: str, path: str, frozen: MessagePayload, params: dict[str, str] | None = None
    ) -> Any:
        """The whole message each time, image included: what an edit does not name might stay or go."""
        body = _body(frozen)
        if frozen.image is None:
            return await self._client.ask(method, path, mutation=True, params=params, json=body)
        data = await unchanged(frozen.image, self._fetch)
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(body), content_type="application/json")
        # A stream, because a large value in memory would hold up the event loop while it is sent.
        form.add_field(
            "files[0]",
            io.BytesIO(data),
            filename=frozen.image.filename,
            content_type=frozen.image.media_type,
        )
        return await self._client.ask(method, path, mutation=True, params=params, data=form)

    async def _image(self, lead: LeadImage) -> Image | None:
        rendition = best_rendition(lead)
        if rendition is None:
            return None
        return described(lead, rendition, await fetched(rendition.url, self._fetch))


def _body(frozen: MessagePayload) -> dict[str, Any]:
    embeds: list[dict[str, Any]] = []
    if frozen.embed:
        card: dict[str, Any] = {"url": frozen.embed.url}
        for name in ("title", "description", "timestamp"):
            if value := getattr(frozen.embed, name):
                card[name] = value
        if frozen.image:
            card["image"] = {"url": f"attachment://{frozen.image.filename}"}
        embeds.append(card)
    attachments = []
    if frozen.image:
        attachments.append(
            {"id": 0, "filename": frozen.image.filename, "description": frozen.image.alt}
        )
    return {
        "content": frozen.content,
        "embeds": embeds,
        "allowed_mentions": {"parse": []},
        "attachments": attachments,
        "flags": 0 if frozen.embed else SUPPRESS_EMBEDS,
    }
