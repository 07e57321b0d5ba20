"""Keeps how each account stands with its network, for all replicas. Never overwrites what it has not seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import structlog

from services.social.channels.base import RateBudget
from services.social.domain import budgets
from services.social.domain.breaker import Breaker
from services.social.domain.budgets import Budget
from services.social.domain.standing import Ask, Notice, Outcome, Standing, begin, end
from services.social.oauth.alerts import Alerts
from shared.delivery.errors import DeliveryError, NotReady, OutcomeUnknown, TryAgain
from shared.runtime.clock import Clock
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate, StorageUnavailable
from shared.storage.outbox import append, declare_outbox, entry

log = structlog.get_logger(__name__)

TRIES = 20
"""More replicas than that never write one account's standing in the same instant."""

T = TypeVar("T")


class Standings:
    """One document per account, `_id` the account's, made when there is something to say.

    `hasten` is told of an outlet whose network works again.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        alerts: Alerts,
        hasten: Callable[[str], Awaitable[object]],
        wake_relay: Callable[[str, str], None],
    ) -> None:
        self.collection: Collection = database["standings"]
        self._clock = clock
        self._alerts = alerts
        self._hasten = hasten
        self._wake_relay = wake_relay

    async def declare(self) -> None:
        await declare_outbox(self.collection)

    async def all(self) -> dict[str, Standing]:
        """Every standing that is not empty, by account."""
        found = await self.collection.find({}, {"outbox": 0})
        return {one["_id"]: Standing.model_validate(one) for one in found}

    @asynccontextmanager
    async def under_way(
        self, account_id: str, ask: Ask, budget: Callable[[], RateBudget | None]
    ) -> AsyncIterator[None]:
        """Around one call: takes what it needs before, and keeps what came of it.

        Raises `TryAgain` where the call has to wait; what the call itself raises goes on unchanged.
        """
        await self._begin(account_id, ask)
        before = budget()

        def told() -> RateBudget | None:
            return after if (after := budget()) is not before else None

        try:
            yield
        except DeliveryError as error:
            await self._end(account_id, ask, told(), error)
            raise
        await self._end(account_id, ask, told(), None)

    async def failed(self, account_id: str, ask: Ask, failure: DeliveryError) -> None:
        """Composing asked the network in vain: that counts for the breaker as sending does."""
        if _of_the_network(failure):
            await self._end(account_id, ask, None, failure)

    async def resume(self, account_id: str) -> bool:
        """A person says that it works again: all that waits is looked at; False when no breaker was open."""

        def closed(standing: Standing) -> tuple[Standing, Notice | None, bool]:
            was = _is_open(standing.breaker)
            return standing.model_copy(update={"breaker": None}), None, was

        was_open = await self._change(account_id, closed)
        await self._hasten(f"social/{account_id}")
        return was_open

    async def forget(self, account_id: str) -> None:
        """The account is gone; what it cost this month stays, or reconnecting would spend it twice."""

        def spent(standing: Standing) -> tuple[Standing, Notice | None, None]:
            return Standing(spend=standing.spend), None, None

        await self._change(account_id, spent)

    async def _begin(self, account_id: str, ask: Ask) -> None:
        now = self._clock.now()

        def step(standing: Standing) -> tuple[Standing, Notice | None, TryAgain | None]:
            after, held, notice = begin(standing, ask, now)
            return after, notice, TryAgain(held.reason, held.seconds) if held else None

        try:
            waits = await self._change(account_id, step)
        except StorageUnavailable as error:
            # Nothing has left yet: a plain failure now must not become a doubt.
            raise NotReady(f"how the account stands cannot be read: {error}") from error
        if waits:
            raise waits

    async def _end(
        self, account_id: str, ask: Ask, told: RateBudget | None, failure: DeliveryError | None
    ) -> None:
        now = self._clock.now()
        outcome = Outcome(
            told=_told(told, now) if told else None,
            failure=failure.reason if failure and _of_the_network(failure) else None,
            ours=isinstance(failure, NotReady),
            in_vain=failure is not None and not isinstance(failure, OutcomeUnknown),
        )

        def step(standing: Standing) -> tuple[Standing, Notice | None, bool]:
            after, notice = end(standing, ask, outcome, now)
            return after, notice, _is_open(standing.breaker) and not _is_open(after.breaker)

        try:
            if await self._change(account_id, step):
                log.info("the network works again", account=account_id)
                await self._hasten(f"social/{account_id}")
        except StorageUnavailable as error:
            # What the network said of the post is worth more than this.
            log.warning("standing not written down", account=account_id, error=repr(error))

    async def _change(
        self, account_id: str, step: Callable[[Standing], tuple[Standing, Notice | None, T]]
    ) -> T:
        """Apply a step to the newest standing; what it answers besides. Raises `StorageUnavailable`."""
        for _ in range(TRIES):
            found = await self.collection.find_one({"_id": account_id}, {"outbox": 0})
            before = Standing.model_validate(found) if found else Standing()
            after, notice, answer = step(before)
            if after == before and notice is None:
                return answer
            version = found["version"] if found else 0
            fields: Document = {**after.model_dump(), "version": version + 1}
            update: Document = {"$set": fields}
            if notice:
                event = self._alerts.event(
                    account_id,
                    notice.severity,
                    notice.kind,
                    f"{account_id} {notice.title}",
                    notice.detail,
                )
                appended = append(entry(event, self._clock.now()))
                update = {**appended, "$set": {**fields, **appended["$set"]}}
            try:
                written = await self.collection.update_one(
                    {"_id": account_id, "version": version}, update, upsert=version == 0
                )
            except Duplicate:
                continue
            if written:
                if notice:
                    self._wake_relay(self.collection.name, account_id)
                return answer
        raise StorageUnavailable(f"the standing of {account_id} changes too quickly")


def _is_open(found: Breaker | None) -> bool:
    return found is not None and found.until is not None


def _told(said: RateBudget, now: datetime) -> Budget:
    return budgets.told(said.limit, said.remaining, said.resets_at, now, counted=said.counted)


def _of_the_network(failure: DeliveryError) -> bool:
    """Server and connection trouble; a time that the network names for one post or for all is none."""
    if isinstance(failure, TryAgain):
        said_when = failure.whole_account or failure.after is not None
        return not (said_when or isinstance(failure, NotReady))
    return isinstance(failure, OutcomeUnknown)
