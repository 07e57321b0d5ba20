"""Reads the counts that are due, account by account. Never while a post waits, never the last of a budget."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

import structlog
from prometheus_client import Counter

from services.social.channels import discover
from services.social.channels.base import Channel, Counting, Posted, RateBudget
from services.social.domain.decay import next_reading
from services.social.domain.errors import NoSuchAccount
from services.social.domain.outness import Out, Over, outness
from services.social.domain.planning import Account
from services.social.reaction.allowance import Allowances
from services.social.reaction.reports import Reports
from services.social.reaction.store import Reading, Readings
from shared.contracts.outlets import Counts
from shared.delivery.errors import AuthDead, GiveUp, TryAgain
from shared.delivery.ledger import Ledger
from shared.delivery.model import NORMAL, Lanes
from shared.runtime.clock import Clock
from shared.storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

LOOK_SECONDS = 15.0
"""Between two looks for what is due; what falls due meanwhile is read together."""
MORE_SECONDS = 0.2
BATCHES = 10
"""Calls for one account at one look, so that no account keeps the others waiting."""
PASSED_OVER = 100
RESERVE = 0.25
"""The share of a network's budget that reading leaves to posting."""
REST_SECONDS = 600.0
"""After a network that could not tell; a longer wait that it names is kept."""
REFUSED_SECONDS = 6 * 3600.0
"""After credentials that may not read: a person may have given them the right meanwhile."""
MISSING_SECONDS = 600.0
"""Until a post that seems to be gone is asked for again: networks do not show everything at once."""

READ = Counter("herald_counts_read_total", "Posts asked for", ["outlet", "outcome"])


class AccountList(Protocol):
    """The connected accounts."""

    async def all(self) -> Sequence[tuple[Account, Any]]: ...


class Connections(Protocol):
    """The live side of accounts."""

    async def channel(self, account_id: str) -> Channel: ...

    async def blocked(self) -> Lanes: ...


class Reader:
    """`step` is run again and again by a loop; any number of replicas may."""

    def __init__(
        self,
        readings: Readings,
        allowances: Allowances,
        ledger: Ledger,
        accounts: AccountList,
        connections: Connections,
        reports: Reports,
        clock: Clock,
        *,
        ceiling: int,
    ) -> None:
        """`ceiling` is how many posts of one account may be asked for in a day."""
        self._readings = readings
        self._allowances = allowances
        self._ledger = ledger
        self._accounts = accounts
        self._connections = connections
        self._reports = reports
        self._clock = clock
        self._ceiling = ceiling

    async def step(self) -> float:
        """Read what is due now; answers the seconds until the next look."""
        more = False
        blocked = (await self._connections.blocked())[NORMAL]
        for account, _ in await self._accounts.all():
            able = discover()[account.channel].capabilities
            if not able.counts or account.outlet in blocked:
                continue
            try:
                more = await self._account(account, able.counts_batch) or more
            except StorageUnavailable:
                raise
            except Exception:
                # What one network answers must not keep the others from being read.
                log.exception("counts not read", outlet=account.outlet)
        return MORE_SECONDS if more else LOOK_SECONDS

    async def _account(self, account: Account, batch: int) -> bool:
        """One account's turn; True when it had to leave some for the next."""
        if not await self._readings.due(account.outlet):
            return False
        try:
            channel = cast(Counting, await self._connections.channel(account.id))
        except (NoSuchAccount, ValueError):
            return False  # removed, or no longer openable: the posts themselves say so
        ceiling = self._ceiling if channel.daily_reads is None else channel.daily_reads
        if ceiling == 0:
            return await self._pass_over(account.outlet)
        for _ in range(BATCHES):
            now, allowance = self._clock.now(), await self._allowances.of(account.id)
            left = min(batch, ceiling - allowance.used)
            resting = allowance.resume_at is not None and allowance.resume_at > now
            if (
                left <= 0
                or resting
                or nearly_used_up(channel.reads, now)
                or await self._held_back(account.outlet)
            ):
                return False
            claimed = await self._readings.claim(account.outlet, left)
            if not claimed:
                return False
            out = await self._those_out(claimed)
            if not out:
                continue
            if not await self._allowances.take(account.id, len(out), ceiling):
                await self._readings.put_back([reading for reading, _ in out], now)
                return False
            if not await self._read(channel, account, out):
                return False
        return True

    async def _pass_over(self, outlet: str) -> bool:
        """Nobody wants to pay for these: their steps go by, so that nothing is made up for later."""
        claimed = await self._readings.claim(outlet, PASSED_OVER)
        for reading in claimed:
            due_at = next_reading(reading.id, reading.acted_at, self._clock.now())
            await self._readings.later(reading, due_at)
        return len(claimed) == PASSED_OVER

    async def _held_back(self, outlet: str) -> bool:
        """Whether the account is off by now, or a delivery waits for a worker: any is worth more than reading."""
        blocked = await self._connections.blocked()
        if outlet in blocked[NORMAL]:
            return True
        due = await self._ledger.next_due(blocked)
        return due is not None and due <= self._clock.now()

    async def _those_out(self, claimed: Sequence[Reading]) -> list[tuple[Reading, Out]]:
        """What is to be asked for; the rest is put off or ended."""
        found: list[tuple[Reading, Out]] = []
        for reading in claimed:
            post = await self._ledger.get(reading.id)
            if post is None:
                await self._readings.over(reading, "its delivery is gone")
                continue
            earlier, later = await self._ledger.neighbours(post)
            state = outness(post, [*earlier, post, *later])
            if isinstance(state, Out):
                found.append((reading, state))
            elif isinstance(state, Over):
                await self._readings.over(reading, state.reason)
            else:
                now = self._clock.now()
                due_at = next_reading(reading.id, reading.acted_at, now)
                await self._readings.later(reading, due_at)
        return found

    async def _read(
        self, channel: Counting, account: Account, out: Sequence[tuple[Reading, Out]]
    ) -> bool:
        """One call, and what becomes of it. False when this account is better left alone for now."""
        readings = [reading for reading, _ in out]
        posts = [Posted.of(state.result) for _, state in out]
        try:
            told = await channel.counts(posts)
        except TryAgain as error:
            await self._rest(account, readings, max(error.after or 0.0, REST_SECONDS), "try_again")
            log.info("counts not read", outlet=account.outlet, reason=error.reason)
            return False
        except AuthDead as error:
            # Whether the account may post is for its posts to find out; this may be a scope of reading.
            await self._rest(account, readings, REFUSED_SECONDS, "refused")
            if await self._allowances.refused(account.id, error.reason):
                await self._reports.refused(account, error.reason)
            return False
        except GiveUp as error:
            if len(out) > 1:
                # One that the network cannot take spoils all: each for itself.
                return await self._each(channel, account, out)
            READ.labels(account.outlet, "given_up").inc()
            log.info("counts not read", post=out[0][0].id, reason=error.reason)
            await self._next(*out[0])
            return True
        await self._allowances.allowed(account.id)
        for (reading, state), post in zip(out, posts, strict=True):
            await self._keep(account, reading, state, post, told)
        return True

    async def _each(
        self, channel: Counting, account: Account, out: Sequence[tuple[Reading, Out]]
    ) -> bool:
        for number, one in enumerate(out):
            if not await self._read(channel, account, [one]):
                rest = [reading for reading, _ in out[number + 1 :]]
                await self._readings.put_back(rest, self._clock.now())
                return False
        return True

    async def _keep(
        self,
        account: Account,
        reading: Reading,
        state: Out,
        post: Posted,
        told: dict[str, Counts | None],
    ) -> None:
        now = self._clock.now()
        if post.remote_id not in told:
            READ.labels(account.outlet, "untold").inc()
            await self._next(reading, state)
            return
        counts = told[post.remote_id]
        if counts is not None:
            READ.labels(account.outlet, "counted").inc()
            due_at = next_reading(reading.id, state.since, now)
            report = self._reports.figures(reading, counts)
            await self._sent(reading, self._readings.counted(reading, counts, due_at, report))
        elif reading.missing_since is None:
            READ.labels(account.outlet, "missing").inc()
            again = now + timedelta(seconds=MISSING_SECONDS)
            await self._readings.missing(reading, again)
        else:
            READ.labels(account.outlet, "gone").inc()
            events = self._reports.gone(reading, account, post)
            await self._sent(reading, self._readings.gone(reading, *events))

    async def _next(self, reading: Reading, state: Out) -> None:
        due_at = next_reading(reading.id, state.since, self._clock.now())
        await self._readings.later(reading, due_at)

    async def _sent(self, reading: Reading, write: Awaitable[bool]) -> None:
        if await write:
            self._reports.wake(reading)

    async def _rest(
        self, account: Account, readings: Sequence[Reading], seconds: float, outcome: str
    ) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        READ.labels(account.outlet, outcome).inc(len(readings))
        await self._allowances.rest(account.id, until)
        await self._readings.put_back(readings, until)


def nearly_used_up(budget: RateBudget | None, now: datetime) -> bool:
    """Whether so little of a budget is left that it belongs to the posts."""
    if budget is None or budget.resets_at <= now:
        return False
    return budget.remaining <= budget.limit * RESERVE
