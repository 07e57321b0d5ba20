"""Speaks the Bot API for one bot: calls, refusals sorted, the token kept out of every word. Never retries."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import aiohttp

from services.social.channels.telegram.settings import TelegramSettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

UNSTATED_RETRY_SECONDS = 60.0
"""Wait after a 429 that names no time: the window of the documented limit for groups."""
MOVED_SECONDS = 1.0
NOT_ALLOWED = (
    "chat not found",
    "need administrator rights",
    "not enough rights to send",
    "have no rights to send",
    "chat_admin_required",
    "chat_write_forbidden",
)
"""Parts of a 400 that every post to this chat will get until a person lets the bot in again."""


class BotClient:
    """Calls of one bot. `chat` is where it posts; it follows a group that became a supergroup."""

    def __init__(self, settings: TelegramSettings, http: aiohttp.ClientSession) -> None:
        self.chat: int | str = settings.chat
        self._settings = settings
        self._http = http

    async def ask(
        self,
        method: str,
        *,
        mutation: bool = False,
        json: dict[str, Any] | None = None,
        data: aiohttp.FormData | None = None,
        follow: bool = False,
        done_already: Collection[str] = (),
    ) -> Any:
        """The `result` of one call; None where the refusal's words say it is `done_already`.

        `follow` takes up the new id of a chat that moved, for the next attempt: nothing was applied.
        """
        answer = await self._call(method, mutation, json, data)
        told = answer.body if isinstance(answer.body, dict) else {}
        if answer.ok and told.get("ok") is True and "result" in told:
            return told["result"]
        if answer.ok:
            said = "a success without the result that belongs to it"
            raise OutcomeUnknown(said) if mutation else TryAgain(said)
        said = words(answer)
        if answer.status == 400 and any(known in said.lower() for known in done_already):
            return None
        moved = parameters(answer).get("migrate_to_chat_id")
        if follow and isinstance(moved, int):
            self.chat = moved
            raise TryAgain(said, MOVED_SECONDS)
        raise failure(answer, mutation=mutation)

    async def _call(
        self,
        method: str,
        mutation: bool,
        json: dict[str, Any] | None,
        data: aiohttp.FormData | None,
    ) -> Answer:
        token = self._settings.token.get_secret_value()
        try:
            return await call(
                self._http,
                "POST",
                f"{self._settings.server}/bot{token}/{method}",
                mutation=mutation,
                json=json,
                data=data,
            )
        except DeliveryError as error:
            # The token is part of the address, and some errors of the HTTP client quote that.
            raise type(error)(error.reason.replace(token, "…")) from None


def parameters(answer: Answer) -> dict[str, Any]:
    """The `parameters` of a refusal (ResponseParameters), or nothing."""
    told = answer.body.get("parameters") if isinstance(answer.body, dict) else None
    return told if isinstance(told, dict) else {}


def failure(answer: Answer, *, mutation: bool) -> DeliveryError:
    """The outcome of an answer that is no success.

    A 5xx may come after the work was done, so on a mutation it is `OutcomeUnknown`.
    """
    said = words(answer)
    if answer.status == 429:
        return TryAgain(said, _retry_after(answer), whole_account=True)
    if answer.status == 404:
        # The token is part of the address, so one that no bot has leads to no page at all.
        return AuthDead(f"{said}; the token is invalid")
    if answer.status in {401, 403}:
        return AuthDead(said)
    if answer.status == 400 and any(known in said.lower() for known in NOT_ALLOWED):
        return AuthDead(said)
    if answer.status >= 500:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def _retry_after(answer: Answer) -> float:
    """Seconds, from `parameters.retry_after`, else from the header."""
    told = parameters(answer).get("retry_after", answer.headers.get("retry-after"))
    try:
        return max(float(told), 1.0) if told is not None else UNSTATED_RETRY_SECONDS
    except (TypeError, ValueError):
        return UNSTATED_RETRY_SECONDS


def words(answer: Answer) -> str:
    """The network's own words, for the person at the board."""
    told = answer.body.get("description") if isinstance(answer.body, dict) else None
    said = f"HTTP {answer.status}: {told}" if told else f"HTTP {answer.status}"
    if moved := parameters(answer).get("migrate_to_chat_id"):
        said += f"; the chat is now {moved}"
    return said[:500]
