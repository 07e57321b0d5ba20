"""Puts one notice up, changes it or takes it down, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

from typing import Any

import aiohttp

from services.social.channels.base import Intent, Payload, Posted, RateBudget, Wording
from services.social.channels.noticeboard.compose import (
    LIMIT,
    WITHOUT_IMAGE,
    NoticePayload,
    compose,
    length,
    notice_key,
)
from services.social.channels.noticeboard.settings import NoticeboardSettings
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.transport import Answer, call
from shared.contracts.outlets import Operation
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

UNSTATED_RETRY_SECONDS = 60.0


class NoticeboardChannel:
    """One desk of one board."""

    def __init__(self, settings: NoticeboardSettings, http: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._http = http
        self.budget: RateBudget | None = None
        """Stays None: the board tells its limits only by refusing."""

    async def compose(self, intent: Intent) -> Payload | None:
        if intent.operation is Operation.DELETE:
            return {"delete": intent.posted.remote_id} if intent.posted else None
        key, seen = notice_key(intent.key), {}
        if intent.operation is Operation.EDIT:
            if intent.posted is None:
                raise GiveUp("nothing is known of the notice to change")
            key, seen = intent.posted.remote_id, intent.posted.extra
        noticed = intent.change == "correction" or bool(seen.get("noticed"))
        frozen = compose(intent.article, key=key, settings=self._settings, noticed=noticed)
        if frozen.text == seen.get("text"):
            return None
        payload = frozen.model_dump(mode="json")
        if intent.article.lead_image:
            payload[LEFT_OUT] = WITHOUT_IMAGE
        return payload

    def wording(self, payload: Payload) -> Wording:
        text = NoticePayload.model_validate(payload).text
        return Wording(text, length(text), LIMIT)

    async def post(self, payload: Payload) -> Posted:
        frozen = NoticePayload.model_validate(payload)
        told = await self._ask("PUT", f"/notices/{frozen.key}", json={"text": frozen.text})
        return _posted(frozen, told)

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        return await self.post(payload)

    async def delete(self, posted: Posted) -> None:
        await self._ask("DELETE", f"/notices/{posted.remote_id}", bear={404})

    async def find(self, payload: Payload) -> Posted | None:
        frozen = NoticePayload.model_validate(payload)
        told = await self._ask("GET", f"/notices/{frozen.key}", bear={404})
        return _posted(frozen, told) if told else None

    async def check(self) -> str:
        """The desk's name on the board."""
        return str((await self._ask("GET", "/desk"))["name"])

    async def _ask(
        self, method: str, path: str, *, json: Any = None, bear: set[int] | None = None
    ) -> dict[str, Any]:
        """The JSON of a success; {} where it has none, or its status is one to `bear`."""
        mutation = method != "GET"
        answer = await call(
            self._http,
            method,
            f"{self._settings.server}{path}",
            mutation=mutation,
            headers={"Authorization": f"Bearer {self._settings.token.get_secret_value()}"},
            json=json,
        )
        if answer.ok and isinstance(answer.body, dict):
            return answer.body
        if answer.status == 204 or answer.status in (bear or ()):
            return {}
        raise failure(answer, mutation=mutation)


def _posted(frozen: NoticePayload, told: dict[str, Any]) -> Posted:
    extra = {"text": frozen.text, "noticed": frozen.noticed}
    return Posted(remote_id=frozen.key, url=told.get("page"), extra=extra)


def failure(answer: Answer, *, mutation: bool) -> DeliveryError:
    """The outcome of an answer that is no success; a mutation may have been done all the same."""
    told = answer.body.get("problem") if isinstance(answer.body, dict) else None
    said = f"HTTP {answer.status}: {told or 'no reason given'}"[:500]
    if answer.status == 429:
        wait = answer.headers.get("retry-after", "")
        seconds = float(wait) if wait.isdecimal() else UNSTATED_RETRY_SECONDS
        return TryAgain(said, max(seconds, 1.0), whole_account=True)
    if answer.status == 401:
        return AuthDead(said)
    if answer.ok or answer.status >= 500:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)
