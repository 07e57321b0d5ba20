"""What each account would get of a snapshot, by the code that posts. Writes nothing, here or on a network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog

from services.social.cards import Cards
from services.social.changes import intent, repost_key
from services.social.channels import discover
from services.social.channels.base import MANNER, Channel
from services.social.channels.pictures import LEFT_OUT
from services.social.domain.errors import NoSuchAccount
from services.social.domain.foresight import Step, steps
from services.social.domain.policy import (
    Choice,
    Manner,
    Policy,
    choose,
    on_the_board,
    to_do,
)
from services.social.store import Accounts, scopes
from shared.contracts.articles import Article
from shared.contracts.outlets import Operation
from shared.delivery.errors import DeliveryError
from shared.delivery.reads import LedgerReads
from shared.web.previews import NONE, Line

log = structlog.get_logger(__name__)

EFFECTS = {
    Manner.EDIT: "edited",
    Manner.REPLY: "replied",
    Manner.REPOST: "reposted",
}
"""What readers see of a change."""

COMPOSE_SECONDS = 4.0
"""For the network to tell its limits and our own origin to hand out the picture."""


class Previews:
    """Shows snapshots. `channel` gives the account's own channel, as the worker uses it."""

    def __init__(
        self,
        ledger: LedgerReads,
        accounts: Accounts,
        channel: Callable[[str], Awaitable[Channel]],
        lateness: timedelta,
        cards: Cards,
        *,
        compose_seconds: float = COMPOSE_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._channel = channel
        self._lateness = lateness
        self._cards = cards
        self._compose_seconds = compose_seconds

    async def show(self, article: Article, now: datetime) -> list[Line]:
        """A line for each account; one that cannot be asked now carries `error`, the others answer."""
        existing, accounts, pauses = await asyncio.gather(
            self._ledger.of_article(article.id), self._accounts.all(), self._accounts.pauses()
        )
        known = [account for account, _ in accounts]
        found = steps(article, now, known, existing, self._lateness)
        policies = {account.outlet: account.policy for account in known}
        lines = await asyncio.gather(
            *(self._line(step, article, now, policies.get(step.outlet)) for step in found)
        )
        for line in lines:
            switches = scopes(line["outlet"].removeprefix("social/"), article.id)
            if off := next((pause for pause in pauses if pause.scope in switches), None):
                line["paused"] = {"scope": off.scope, "reason": off.reason}
        return list(lines)

    async def _line(
        self, step: Step, article: Article, now: datetime, policy: Policy | None
    ) -> Line:
        operation = step.operation.value if step.operation else NONE
        line: Line = {"outlet": step.outlet, "operation": operation, "effect": "nothing"}
        if url := (step.previous or {}).get("url"):
            line["url"] = url
        if step.reason:
            line["error" if step.operation else "reason"] = step.reason
        if step.operation is None or step.key is None:
            return line
        line["delivery"] = step.key
        choice = None
        if step.operation is not Operation.POST:
            able = discover()[step.outlet.split("/")[1]].capabilities
            about = (step.operation, step.publication)
            choice = choose(*about, article, step.previous, policy or Policy(), able)
            if choice.manner is Manner.DELETE:
                return {**line, "effect": "deleted", "payload": {}}
            if choice.manner is Manner.PERSON:
                words = to_do(choice, article, line.get("url"))
                return {**line, "effect": "task", "reason": words, "payload": {}}
            if choice.manner is Manner.NOTHING:
                left = on_the_board(choice.manner, choice.kind)
                return {**line, "operation": NONE, "reason": left}
        try:
            async with asyncio.timeout(self._compose_seconds):
                return await self._composed(line, step, choice, article, now)
        except NoSuchAccount:
            return {**line, "error": "the account has been removed"}
        except DeliveryError as error:
            return {**line, "error": error.reason}
        except TimeoutError:
            return {**line, "error": f"no answer within {self._compose_seconds:g} seconds"}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("preview failed", outlet=step.outlet, error=repr(error))
            return {**line, "error": f"cannot be composed: {error}"}

    async def _composed(
        self, line: Line, step: Step, choice: Choice | None, article: Article, now: datetime
    ) -> Line:
        channel = await self._channel(step.outlet.removeprefix("social/"))
        key, asked = step.key or "", choice
        if choice and choice.manner is Manner.REPOST:
            # What readers will see is the post at its end, which has a key of its own.
            key, asked = repost_key(key), None
        payload = await channel.compose(
            intent(key, Operation.POST, article, now, step.previous, asked, self._cards.of(article))
        )
        if payload is None:
            return {**line, "operation": NONE, "reason": "nothing to change here"}
        effect = "posted"
        if choice:
            effect = EFFECTS[Manner(payload.get(MANNER, choice.manner))]
        if left_out := payload.get(LEFT_OUT):
            line["reason"] = left_out
        return {**line, "effect": effect, "payload": payload, **asdict(channel.wording(payload))}
