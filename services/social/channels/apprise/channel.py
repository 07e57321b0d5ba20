"""Gives one message to one service through Apprise, exactly as frozen. Never retries, and takes nothing back."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp

from services.social.channels.apprise.compose import (
    WITHOUT_IMAGE,
    MessagePayload,
    compose,
    compose_correction,
    length,
)
from services.social.channels.apprise.line import Line
from services.social.channels.apprise.plugin import Plugin, in_thread
from services.social.channels.apprise.settings import AppriseSettings
from services.social.channels.base import Intent, Payload, Posted, RateBudget, Wording
from services.social.channels.pictures import LEFT_OUT
from shared.contracts.outlets import Operation
from shared.delivery.errors import GiveUp, OutcomeUnknown
from shared.runtime.ids import NewId, new_id

STAYS = "what was sent through Apprise cannot be taken back: a person has to remove it where readers see it"


class AppriseChannel:
    """One target of one service. Apprise says of a message only whether it was taken."""

    def __init__(
        self,
        settings: AppriseSettings,
        http: aiohttp.ClientSession,
        *,
        number: NewId = new_id,
        load: Callable[[str], Plugin] = Plugin,
    ) -> None:
        self._settings = settings
        self._http = http
        self._number = number
        self._load = load
        self.budget: RateBudget | None = None
        """Stays None: Apprise hands on no headers."""
        self._plugin: Plugin | None = None

    async def compose(self, intent: Intent) -> Payload | None:
        """A message for a post, one more for a correction or retraction; None for a minor change."""
        article = intent.article
        if intent.operation is Operation.DELETE:
            raise GiveUp(STAYS)
        room = (await self._ready()).room
        if intent.operation is Operation.EDIT:
            if intent.change == "minor":
                return None
            told = compose_correction(article, settings=self._settings, room=room, told=intent.told)
            return told.model_dump(mode="json")
        payload = compose(article, settings=self._settings, room=room).model_dump(mode="json")
        if article.lead_image:
            payload[LEFT_OUT] = WITHOUT_IMAGE
        return payload

    def wording(self, payload: Payload) -> Wording:
        frozen = MessagePayload.model_validate(payload)
        return Wording(frozen.text, length(frozen.text), frozen.limit)

    async def post(self, payload: Payload) -> Posted:
        """Its number is our own: Apprise tells neither the service's nor an address."""
        await self._send(payload)
        return Posted(remote_id=self._number())

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        """Send the notice as a message of its own."""
        await self._send(payload)
        return posted

    async def delete(self, posted: Posted) -> None:
        raise GiveUp(STAYS)

    async def find(self, payload: Payload) -> Posted | None:
        raise OutcomeUnknown("Apprise reads nothing back, so only a person can look")

    async def check(self) -> str:
        """The service's name. Only a message shows whether it lets us in, so no more can be verified."""
        return (await self._ready()).service

    async def _send(self, payload: Payload) -> None:
        plugin = await self._ready()
        await plugin.send(MessagePayload.model_validate(payload), Line(self._http))

    async def _ready(self) -> Plugin:
        if self._plugin is None:
            address = self._settings.url.get_secret_value()
            self._plugin = await in_thread(lambda: self._load(address))
        return self._plugin
