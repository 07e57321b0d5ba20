"""Speaks Slack's Web API for one bot; sorts refusals, which come as successes. Never retries."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import aiohttp

from services.social.channels.slack.settings import SlackSettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

UNSTATED_RETRY_SECONDS = 60.0
"""Wait after a refusal for haste that names no time: the network's limits are by the minute."""
MIGRATING_SECONDS = 300.0
DEAD = frozenset(
    {
        "access_denied",
        "account_inactive",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_read_only_channel",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
"""Errors that every call will get until a person renews the token or lets the bot in."""
HASTY = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})
BROKEN = frozenset({"fatal_error", "internal_error", "service_unavailable"})
"""Their documentation says that some of the work may have been done."""


class SlackClient:
    """Authorised calls of one bot."""

    def __init__(self, settings: SlackSettings, http: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._http = http

    async def read(
        self,
        method: str,
        params: dict[str, str] | None = None,
        *,
        bear: Collection[str] = (),
    ) -> Answer:
        """A call that changes nothing; its answer is `ok`, or has an error that `bear` knows."""
        return await self._ask("GET", method, mutation=False, params=params, bear=bear)

    async def write(
        self, method: str, body: dict[str, Any], *, done_already: Collection[str] = ()
    ) -> dict[str, Any]:
        """The body of a mutation's answer; {} where its error says that it is `done_already`."""
        answer = await self._ask("POST", method, mutation=True, json=body, bear=done_already)
        told: dict[str, Any] = answer.body
        return told if told["ok"] else {}

    async def _ask(
        self,
        verb: str,
        method: str,
        *,
        mutation: bool,
        json: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
        bear: Collection[str] = (),
    ) -> Answer:
        answer = await call(
            self._http,
            verb,
            f"{self._settings.server}/api/{method}",
            mutation=mutation,
            headers={"Authorization": f"Bearer {self._settings.token.get_secret_value()}"},
            json=json,
            params=params,
        )
        told = answer.body if isinstance(answer.body, dict) else {}
        if answer.ok and told.get("ok") is True:
            return answer
        if answer.ok and told.get("ok") is False and told.get("error") in bear:
            return answer
        if answer.ok and not isinstance(told.get("error"), str):
            said = "a success without the JSON that belongs to it"
            raise OutcomeUnknown(said) if mutation else TryAgain(said)
        raise failure(answer, mutation=mutation)


def failure(answer: Answer, *, mutation: bool) -> DeliveryError:
    """The outcome of an answer that is no success, most of which come with HTTP 200.

    A 5xx may come after the work was done, so on a mutation it is `OutcomeUnknown`.
    """
    error, said = error_name(answer), words(answer)
    if answer.status == 429 or error in HASTY:
        return TryAgain(said, _retry_after(answer), whole_account=True)
    if error == "team_added_to_org":
        return TryAgain(said, MIGRATING_SECONDS, whole_account=True)
    if error == "request_timeout":
        return TryAgain(said)  # the network read only a part of the request and did nothing
    if error in DEAD or answer.status in {401, 403}:
        return AuthDead(said)
    if answer.status >= 500 or error in BROKEN:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def error_name(answer: Answer) -> str:
    """The `error` of a refusal, or "" where there is none."""
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return error if isinstance(error, str) else ""


def _retry_after(answer: Answer) -> float:
    try:
        return max(float(answer.headers["retry-after"]), 1.0)
    except (KeyError, ValueError):
        return UNSTATED_RETRY_SECONDS


def words(answer: Answer) -> str:
    """The network's own words, for the person at the board: the error, and what it needs or dislikes."""
    said = [error_name(answer) or f"HTTP {answer.status}"]
    body = answer.body if isinstance(answer.body, dict) else {}
    if needed := body.get("needed"):
        said.append(f"needed: {needed}")
    about = body.get("response_metadata")
    if isinstance(about, dict):
        said += [str(one) for one in about.get("messages") or []]
    return "; ".join(said)[:500]
