"""Reading over a real mongod with a network that says what the test wants: budgets, ceilings, rests, leases, ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from services.social.channels.base import Channel, Posted, RateBudget
from services.social.domain.decay import STEPS
from services.social.domain.planning import Account
from services.social.oauth.alerts import Alerts
from services.social.reaction.allowance import Allowances
from services.social.reaction.reader import REFUSED_SECONDS, REST_SECONDS, Reader
from services.social.reaction.reports import Reports
from services.social.reaction.store import LEASE, Reading, Readings
from shared.contracts.events import Outgoing, read_event
from shared.contracts.outlets import Counts, Operation, OperatorAlert, OutletReported
from shared.delivery.errors import AuthDead, GiveUp, TryAgain
from shared.delivery.ledger import Ledger
from shared.delivery.model import EVERY_LANE, Delivery, Lanes, Plan
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST = STEPS[0] * 1.2
"""Seconds after which the first step of any post is due."""
Answer = dict[str, Counts | None] | Exception


@dataclass
class Network:
    """A channel and the connections to it; `says` answers each call, `asked` remembers them."""

    says: Callable[[list[str]], Answer] = lambda ids: {one: Counts(likes=1) for one in ids}
    reads: RateBudget | None = None
    daily_reads: int | None = None
    asked: list[list[str]] = field(default_factory=list)
    off: tuple[str, ...] = ()

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        ids = [post.remote_id for post in posts]
        self.asked.append(ids)
        await asyncio.sleep(0)
        answer = self.says(ids)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def channel(self, _: str) -> Channel:
        return cast(Channel, self)

    async def blocked(self) -> Lanes:
        return dict.fromkeys(EVERY_LANE, self.off)

    @property
    def ids(self) -> list[str]:
        return [one for call in self.asked for one in call]


@dataclass
class Desk:
    """Everything around a reader."""

    database: Database
    clock: ManualClock
    network: Network
    ledger: Ledger
    readings: Readings
    announced: list[Outgoing] = field(default_factory=list)
    channel: str = "mastodon"

    async def all(self) -> list[tuple[Account, Any]]:
        return [(Account(self.channel, "main", NOON), None)]

    async def announce(self, _: str, event: Outgoing) -> None:
        self.announced.append(event)

    @property
    def collection(self) -> Any:
        return self.database["accounts"]

    def reader(self, ceiling: int = 1000) -> Reader:
        alerts = Alerts(cast(Any, self), self.clock, lambda *_: None)
        return Reader(
            self.readings,
            Allowances(self.database, self.clock),
            self.ledger,
            self,
            self.network,
            Reports(alerts, self.clock, lambda *_: None),
            self.clock,
            ceiling=ceiling,
        )

    async def post(self, number: int = 1, *, confirmed: bool = True) -> Delivery:
        """A post of one article, watched from its plan on."""
        plan = Plan(
            article_id=f"article-{number}",
            outlet=f"social/{self.channel}/main",
            operation=Operation.POST,
            intent="1",
            publication=1,
            revision=2,
            acted_at=self.clock.now(),
        )
        await self.ledger.plan(plan)
        planned = await self.ledger.get(plan.id)
        assert planned
        await self.readings.enrol([planned])
        if confirmed:
            await self.confirm(f"{number}")
        return planned

    async def confirm(self, remote_id: str, **more: Any) -> None:
        claimed = await self.ledger.claim()
        assert claimed
        url = f"https://network.test/{remote_id}"
        await self.ledger.confirm(claimed, {"remote_id": remote_id, "url": url, **more})

    async def reading(self, post: Delivery) -> Reading:
        (found,) = await self.readings.of_article(post.article_id)
        return found

    async def events(self, post: Delivery) -> list[Any]:
        found = await self.readings.collection.find_one({"_id": post.id}, {"outbox": 1})
        return [read_event(one["body"]).data for one in (found or {}).get("outbox", [])]


def step_of(due_at: datetime | None, since: datetime = NOON) -> int:
    """Which step of the schedule this is."""
    assert due_at
    return max(step for step in STEPS if since + timedelta(seconds=step) <= due_at)


@pytest.fixture
async def desk(database: Database) -> Desk:
    clock = ManualClock(NOON)
    ledger = Ledger(database["deliveries"], clock, lambda _: None, lambda *_: None)
    readings = Readings(database, clock)
    await ledger.declare()
    await readings.declare()
    return Desk(database, clock, Network(), ledger, readings)


async def test_a_post_is_read_at_each_step_and_then_never_again(desk: Desk) -> None:
    post, reader = await desk.post(), desk.reader()
    counter = iter(range(1, 100))
    desk.network.says = lambda ids: {ids[0]: Counts(likes=next(counter), replies=0)}
    for _ in range(40 * 24 * 4):
        await reader.step() if await desk.readings.due(post.outlet) else None
        desk.clock.advance(900)
    reading = await desk.reading(post)
    assert len(desk.network.asked) == len(STEPS)
    assert (reading.due_at, reading.ended) == (None, "old enough")
    reports = await desk.events(post)
    assert all(isinstance(one, OutletReported) and one.partial for one in reports)
    figures = [figure for one in reports for figure in one.figures]
    assert [one.counts.likes for one in figures] == list(range(1, len(STEPS) + 1))
    ages = [(one.at - NOON).total_seconds() for one in figures]
    assert all(step <= age <= step * 1.1 + 900 for step, age in zip(STEPS, ages, strict=True))
    assert (reading.counts, reading.counted_at) == (figures[-1].counts, figures[-1].at)
    assert {(one.outlet, one.delivery) for one in figures} == {(post.outlet, post.id)}
    assert not any(one.lines for one in reports)


async def test_replicas_read_each_due_post_once(desk: Desk) -> None:
    for number in range(1, 61):
        await desk.post(number)
    desk.clock.advance(FIRST)
    replicas = [desk.reader() for _ in range(4)]
    for _ in range(3):
        await asyncio.gather(*(one.step() for one in replicas))
    assert sorted(desk.network.ids, key=int) == [f"{number}" for number in range(1, 61)]
    assert max(len(call) for call in desk.network.asked) > 1
    assert all(len(call) <= 20 for call in desk.network.asked)


async def test_a_read_that_a_crash_cut_off_is_taken_up_again_after_the_lease(desk: Desk) -> None:
    post = await desk.post()
    desk.clock.advance(FIRST)
    (dropped,) = await desk.readings.claim(post.outlet, 5)
    await desk.reader().step()
    assert desk.network.asked == []
    desk.clock.advance(LEASE.total_seconds() + 1)
    await desk.reader().step()
    assert desk.network.ids == ["1"]
    assert not await desk.readings.over(dropped, "by one who was thought dead")
    assert (await desk.reading(post)).ended is None


async def test_reading_leaves_the_end_of_the_budget_to_posting(desk: Desk) -> None:
    await desk.post()
    desk.clock.advance(FIRST)
    reset = desk.clock.now() + timedelta(seconds=90)
    desk.network.reads = RateBudget(limit=300, remaining=75, resets_at=reset)
    await desk.reader().step()
    assert desk.network.asked == []
    desk.clock.advance(91)
    await desk.reader().step()
    assert desk.network.ids == ["1"]


async def test_a_budget_that_ends_in_the_middle_stops_the_rest(desk: Desk) -> None:
    for number in range(1, 46):
        await desk.post(number)
    desk.clock.advance(FIRST)
    reset = desk.clock.now() + timedelta(seconds=90)

    def says(ids: list[str]) -> Answer:
        left = 76 if len(desk.network.asked) == 1 else 75
        desk.network.reads = RateBudget(limit=300, remaining=left, resets_at=reset)
        return {one: Counts(likes=1) for one in ids}

    desk.network.says = says
    await desk.reader().step()
    assert [len(call) for call in desk.network.asked] == [20, 20]
    assert await desk.readings.due("social/mastodon/main")


async def test_a_day_has_a_ceiling_that_all_replicas_share(desk: Desk) -> None:
    for number in range(1, 31):
        await desk.post(number)
    desk.clock.advance(FIRST)
    await asyncio.gather(*(desk.reader(ceiling=25).step() for _ in range(3)))
    for _ in range(3):
        await desk.reader(ceiling=25).step()
    assert len(desk.network.ids) == 25
    desk.clock.advance(12 * 3600)  # past midnight UTC
    await desk.reader(ceiling=25).step()
    assert len(set(desk.network.ids)) == 30


@pytest.mark.parametrize("own", [True, False])
async def test_what_costs_money_is_not_read_unless_somebody_said_so(desk: Desk, own: bool) -> None:
    post = await desk.post()
    if own:
        desk.network.daily_reads = 0
    desk.clock.advance(FIRST)
    await desk.reader(ceiling=1000 if own else 0).step()
    assert desk.network.asked == []
    # The step went by: nothing is made up for later.
    assert step_of((await desk.reading(post)).due_at) == STEPS[1]
    desk.network.daily_reads = 5
    desk.clock.advance(STEPS[1])
    await desk.reader().step()
    assert desk.network.ids == ["1"]


async def test_an_account_that_is_off_is_not_read(desk: Desk) -> None:
    await desk.post()
    desk.network.off = ("social/mastodon/main",)
    desk.clock.advance(FIRST)
    await desk.reader().step()
    assert desk.network.asked == []
    desk.network.off = ()
    await desk.reader().step()
    assert desk.network.ids == ["1"]


async def test_nothing_is_read_while_a_post_waits_for_a_worker(desk: Desk) -> None:
    await desk.post(1)
    desk.clock.advance(FIRST)
    await desk.post(2, confirmed=False)
    await desk.reader().step()
    assert desk.network.asked == []
    await desk.confirm("2")
    await desk.reader().step()
    assert desk.network.ids == ["1"]


async def test_a_network_that_cannot_tell_is_left_alone_and_no_post_is_held_up(desk: Desk) -> None:
    post = await desk.post()
    desk.clock.advance(FIRST)
    desk.network.says = lambda _: TryAgain("HTTP 429", 1800.0, whole_account=True)
    reader = desk.reader()
    await reader.step()
    await reader.step()
    assert len(desk.network.asked) == 1
    desk.clock.advance(REST_SECONDS + 1)
    await reader.step()
    assert len(desk.network.asked) == 1  # it had named a longer wait
    accounts = await desk.database["accounts"].find({})
    assert accounts == []  # nothing quiets or pauses the account itself
    desk.network.says = lambda ids: {ids[0]: Counts(likes=4)}
    desk.clock.advance(1800)
    await desk.reader().step()
    assert (await desk.reading(post)).counts == Counts(likes=4)


async def test_credentials_that_may_not_read_tell_an_operator_once(desk: Desk) -> None:
    await desk.post()
    desk.network.says = lambda _: AuthDead("missing_scope; needed: reactions:read")
    for _ in range(4):
        desk.clock.advance(REFUSED_SECONDS + 1)
        await desk.reader().step()
    assert len(desk.network.asked) == 4
    (event,) = desk.announced
    alert = read_event(event.body).data
    assert isinstance(alert, OperatorAlert)
    assert alert.severity == "info"
    assert "reactions:read" in alert.detail


async def test_one_post_that_the_network_cannot_take_spoils_no_other(desk: Desk) -> None:
    posts = [await desk.post(number) for number in (1, 2, 3)]

    def says(ids: list[str]) -> Answer:
        if "2" in ids:
            return GiveUp("HTTP 400: id 2 is malformed")
        return {one: Counts(likes=int(one)) for one in ids}

    desk.network.says = says
    desk.clock.advance(FIRST)
    await desk.reader().step()
    found = [await desk.reading(post) for post in posts]
    assert [one.counts.likes for one in found] == [1, None, 3]
    assert [step_of(one.due_at) for one in found] == [STEPS[1]] * 3


async def test_a_post_of_which_nothing_is_told_is_asked_for_at_the_next_step(desk: Desk) -> None:
    post = await desk.post()
    desk.network.says = lambda _: {}
    desk.clock.advance(FIRST)
    await desk.reader().step()
    reading = await desk.reading(post)
    assert (step_of(reading.due_at), reading.counted_at) == (STEPS[1], None)
    assert await desk.events(post) == []


async def test_a_post_that_is_gone_is_told_after_a_second_look(desk: Desk) -> None:
    post, reader = await desk.post(), desk.reader()
    desk.network.says = lambda ids: {ids[0]: Counts(likes=9)}
    desk.clock.advance(FIRST)
    await reader.step()
    desk.network.says = lambda ids: {ids[0]: None}
    desk.clock.advance(STEPS[1])
    await reader.step()
    assert (await desk.reading(post)).ended is None
    assert len(await desk.events(post)) == 1
    desk.clock.advance(601)
    await reader.step()
    reading = await desk.reading(post)
    assert (reading.due_at, reading.ended, reading.counts) == (
        None,
        "no longer there",
        Counts(likes=9),
    )
    _, report, alert = await desk.events(post)
    assert isinstance(report, OutletReported)
    assert [(one.gone, one.counts.likes) for one in report.figures] == [(True, 9)]
    assert isinstance(alert, OperatorAlert)
    assert alert.severity == "warning"
    assert alert.article_id == post.article_id
    assert "https://network.test/1" in alert.detail
    delivery = await desk.ledger.get(post.id)
    assert delivery
    assert delivery.state == "confirmed"  # it did happen, once
    desk.clock.advance(30 * 86_400)
    await reader.step()
    assert len(desk.network.asked) == 3


async def test_a_network_that_was_only_slow_alarms_nobody(desk: Desk) -> None:
    post, reader = await desk.post(), desk.reader()
    desk.network.says = lambda ids: {ids[0]: None}
    desk.clock.advance(FIRST)
    await reader.step()
    desk.network.says = lambda ids: {ids[0]: Counts(likes=2)}
    desk.clock.advance(601)
    await reader.step()
    reading = await desk.reading(post)
    assert (reading.missing_since, reading.ended) == (None, None)
    assert reading.counts == Counts(likes=2)
    assert [type(one) for one in await desk.events(post)] == [OutletReported]


async def test_what_we_took_down_ends_without_a_word(desk: Desk) -> None:
    post = await desk.post()
    await desk.ledger.plan(
        Plan(
            article_id=post.article_id,
            outlet=post.outlet,
            operation=Operation.DELETE,
            intent="1",
            publication=1,
            revision=3,
            acted_at=desk.clock.now(),
        )
    )
    await desk.confirm("1")
    desk.clock.advance(FIRST)
    await desk.reader().step()
    assert desk.network.asked == []
    assert (await desk.reading(post)).ended == "taken back"
    assert await desk.events(post) == []


async def test_a_post_that_came_late_is_read_once_it_is_there(desk: Desk) -> None:
    post, reader = await desk.post(confirmed=False), desk.reader()
    claimed = await desk.ledger.claim()
    assert claimed
    await desk.ledger.wait(claimed, NOON + timedelta(hours=2), "the network is down")
    desk.clock.advance(FIRST)
    await reader.step()
    assert desk.network.asked == []
    assert step_of((await desk.reading(post)).due_at) == STEPS[1]
    desk.clock.advance(2 * 3600)
    made = desk.clock.now()
    await desk.confirm("1")
    await reader.step()
    assert desk.network.ids == ["1"]
    # From here on its steps count from the moment it was made.
    assert step_of((await desk.reading(post)).due_at, made) == STEPS[0]


async def test_the_same_article_again_watches_nothing_twice(desk: Desk) -> None:
    post = await desk.post()
    desk.clock.advance(FIRST)
    await desk.reader().step()
    read = await desk.reading(post)
    await asyncio.gather(*(desk.readings.enrol([post]) for _ in range(5)))
    assert await desk.reading(post) == read
    desk.clock.advance(40 * 86_400)
    old = await desk.post(2)
    assert await desk.readings.of_article(old.article_id)
    desk.clock.advance(40 * 86_400)
    await desk.database["readings"].delete_many({})
    await desk.readings.enrol([old])
    assert await desk.readings.of_article(old.article_id) == []


async def test_a_network_that_does_not_count_is_not_watched(desk: Desk) -> None:
    desk.channel = "telegram"
    post = await desk.post()
    assert await desk.readings.of_article(post.article_id) == []
