"""Performs the calls that flows describe, and puts refusals into words. Never repeats a secret, never retries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import aiohttp

from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, OutcomeUnknown, TryAgain

Told = TypeVar("Told")

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=10)
LATER = frozenset(
    {
        "invalid_client",
        "unauthorized_client",
        "temporarily_unavailable",
        "server_error",
        "slow_down",
    }
)
"""Of RFC 6749 and RFC 8628: what says nothing of the grant. A wrong app secret is cured by an operator."""
GRAPH_LATER = frozenset({1, 2, 4, 17, 32, 101, 341, 613})
"""Meta's codes for the same: out of order, throttled, or a wrong app secret."""
WORDS = ("message", "error_message", "detail", "title")
"""Where a refusal that has no `error` says why."""
SECRETS = frozenset(
    {
        *("Authorization", "access_token", "client_secret", "code", "code_verifier"),
        *("fb_exchange_token", "refresh_token"),
    }
)
"""Names of what is sent that nobody may read."""


class Asking:
    """`services.social.channels.oauth.Ask` over one guarded session."""

    def __init__(self, session: Callable[[], aiohttp.ClientSession]) -> None:
        self._session = session

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool = False,
    ) -> dict[str, Any]:
        answer = await call(
            self._session(),
            method,
            url,
            mutation=changes,
            headers={"Accept": "application/json", **(headers or {})},
            data=dict(form) if form is not None else None,
            params=dict(query) if query is not None else None,
            timeout=TIMEOUT,
        )
        said = hidden(words(answer), form or {}, query or {}, headers or {})
        if answer.ok and isinstance(answer.body, dict) and "error" not in answer.body:
            return answer.body
        if answer.status == 429 or _later(answer.body):
            raise TryAgain(said)
        if answer.status >= 500 or answer.ok:
            raise OutcomeUnknown(said) if changes else TryAgain(said)
        raise AuthDead(said)


async def understood(asked: Awaitable[Told]) -> Told:
    """What a flow made of the answers. Raises `OutcomeUnknown` where they are not as documented."""
    try:
        return await asked
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OutcomeUnknown("the network's answer is not as its documentation says") from error


def words(answer: Answer) -> str:
    """The network's own words: OAuth's, Meta's and LinkedIn's spelling."""
    body = answer.body if isinstance(answer.body, dict) else {}
    error = body.get("error")
    parts: list[Any] = [error, body.get("error_description")]
    if isinstance(error, dict):
        parts = [error.get("message")]
    if not any(parts):
        parts = [next(filter(None, map(body.get, WORDS)), None)]
    said = ": ".join(part for part in parts if isinstance(part, str) and part)
    return f"HTTP {answer.status}: {said}"[:500] if said else f"HTTP {answer.status}"


def hidden(said: str, *sent: Mapping[str, str]) -> str:
    """Without the secrets we sent: some networks repeat a token that they refuse."""
    values = [part[name] for part in sent for name in SECRETS & part.keys()]
    for value in sorted(values, key=len, reverse=True):
        said = said.replace(value.rpartition(" ")[2] or "\0", "[hidden]")
    return said


def _later(body: Any) -> bool:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return error.get("is_transient") is True or error.get("code") in GRAPH_LATER
    return isinstance(error, str) and error in LATER
