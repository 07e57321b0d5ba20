"""The ledger on a real mongod: transitions, fences, leases, the order of claims, and reports that cannot part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.contracts.events import read_event
from shared.contracts.outlets import DeliveryState, Operation, OutletReported
from shared.delivery.ledger import LEASE_SECONDS, Ledger
from shared.delivery.model import BREAKING, DOUBTFUL, EVERY_LANE, NORMAL, Delivery, Plan
from shared.delivery.resolution import Refused, cancel, resolve, retry
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

S = DeliveryState
Make = Callable[..., Plan]
PAUSED = dict.fromkeys(EVERY_LANE, ("paused",))


async def claimed(ledger: Ledger, wanted: Plan) -> Delivery:
    assert await ledger.plan(wanted)
    delivery = await ledger.claim()
    assert delivery is not None
    assert delivery.id == wanted.id
    return delivery


async def reported(ledger: Ledger, delivery_id: str) -> list[tuple[str, int]]:
    document = await ledger.collection.find_one({"_id": delivery_id})
    lines = []
    for event in (document or {}).get("outbox", []):
        data = read_event(event["body"]).data
        assert isinstance(data, OutletReported)
        lines.append((data.lines[0].state.value, data.lines[0].sequence))
    return lines


async def test_the_whole_way_of_a_delivery(ledger: Ledger, clock: ManualClock, plan: Make) -> None:
    one = await claimed(ledger, plan(subject={"to": "x"}, traceparent="00-t-01"))
    assert (one.state, one.fence, one.attempts) == (S.CLAIMED, 1, 0)
    assert one.due_at == clock.now() + timedelta(seconds=LEASE_SECONDS)
    payload = {"$type": "app.bsky.feed.post", "a.b": [1, {"$x": None}], "text": "ä"}
    armed = await ledger.arm(one, payload, 1)
    assert armed is not None
    assert armed == await ledger.get(one.id)
    assert (armed.state, armed.payload, armed.attempts) == (S.ARMED, payload, 1)
    clock.advance(0.412)
    done = await ledger.confirm(armed, {"remote_id": "9", "url": "https://x.example/9"})
    assert done is not None
    assert done == await ledger.get(one.id)
    assert (done.state, done.milliseconds, done.due_at) == (S.CONFIRMED, 412, None)
    assert done.line().url == "https://x.example/9"
    assert await reported(ledger, one.id) == [("confirmed", 3)]
    assert await ledger.claim() is None
    clock.advance(10 * LEASE_SECONDS)
    assert await ledger.claim() is None


Change = Callable[[Ledger, Delivery, ManualClock], Awaitable[Delivery | None]]

CHANGES: dict[str, Change] = {
    "arm": lambda ledger, one, clock: ledger.arm(one, {"n": 1}, 1),
    "confirm": lambda ledger, one, clock: ledger.confirm(one, {"remote_id": "1"}),
    "wait": lambda ledger, one, clock: ledger.wait(
        one, clock.now() + timedelta(seconds=5), "busy", attempts=1
    ),
    "unknown": lambda ledger, one, clock: ledger.unknown(one, "cut", None),
    "failed": lambda ledger, one, clock: ledger.close(one, S.FAILED, "no"),
    "missed": lambda ledger, one, clock: ledger.close(one, S.MISSED, "late"),
    "cancelled": lambda ledger, one, clock: ledger.close(one, S.CANCELLED, "retracted"),
    "replan": lambda ledger, one, clock: ledger.replan(one, "not there"),
}
BECOMES = {"arm": S.ARMED, "confirm": S.CONFIRMED, "wait": S.WAITING, "unknown": S.UNKNOWN}
BECOMES |= {"failed": S.FAILED, "missed": S.MISSED, "cancelled": S.CANCELLED, "replan": S.PLANNED}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_stored_as_answered_and_a_stale_fence_changes_nothing(
    ledger: Ledger, clock: ManualClock, plan: Make, name: str
) -> None:
    one = await claimed(ledger, plan())
    changed = await CHANGES[name](ledger, one, clock)
    assert changed is not None
    assert changed == await ledger.get(one.id)
    assert (changed.state, changed.fence) == (BECOMES[name], 2)
    expected = [] if name == "arm" else [(BECOMES[name].value, 2)]
    assert await reported(ledger, one.id) == expected
    for other in CHANGES.values():  # all of them with the fence that was just spent
        assert await other(ledger, one, clock) is None
    assert await ledger.get(one.id) == changed
    assert await reported(ledger, one.id) == expected


async def test_a_quiet_wait_is_planned_and_not_reported(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    one = await claimed(ledger, plan())
    waiting = await ledger.wait(one, clock.now() + timedelta(seconds=1), None, report=False)
    assert waiting is not None
    assert waiting.state is S.PLANNED
    assert await reported(ledger, one.id) == []
    assert await ledger.claim() is None
    clock.advance(1)
    assert await ledger.claim() is not None


@pytest.mark.parametrize("state", [S.CLAIMED, S.ARMED, S.UNKNOWN])
async def test_a_lease_that_ran_out_is_taken_up_in_the_state_it_was_left(
    ledger: Ledger, clock: ManualClock, plan: Make, state: DeliveryState
) -> None:
    one: Delivery | None = await claimed(ledger, plan())
    assert one is not None
    if state is S.ARMED:
        one = await ledger.arm(one, {"n": 1}, 1)
    elif state is S.UNKNOWN:
        one = await ledger.unknown(one, "cut", clock.now() + timedelta(seconds=LEASE_SECONDS))
    assert one is not None
    clock.advance(LEASE_SECONDS - 0.001)
    assert await ledger.claim() is None
    clock.advance(0.001)
    again = await ledger.claim()
    assert again is not None
    assert (again.state, again.fence) == (state, one.fence + 1)
    assert await ledger.confirm(one, None) is None  # the holder that woke up too late


async def test_breaking_news_comes_first_then_the_oldest(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    await ledger.plan(plan(article_id="first"))
    clock.advance(1)
    await ledger.plan(plan(article_id="second"))
    clock.advance(1)
    await ledger.plan(plan(article_id="breaking", priority=BREAKING))
    order = [delivery.article_id for _ in range(3) if (delivery := await ledger.claim())]
    assert order == ["breaking", "first", "second"]


@pytest.mark.parametrize("state", [S.ARMED, S.UNKNOWN])
async def test_a_doubt_is_resolved_before_anything_new_is_begun(
    ledger: Ledger, clock: ManualClock, plan: Make, state: DeliveryState
) -> None:
    """Behind a backlog it would be looked for only when too many newer posts hide it."""
    one = await claimed(ledger, plan(article_id="doubtful"))
    if state is S.ARMED:
        await ledger.arm(one, {"n": 1}, 1)
    else:
        await ledger.unknown(one, "cut", clock.now() + timedelta(seconds=LEASE_SECONDS))
    await ledger.plan(plan(article_id="backlog"))
    clock.advance(LEASE_SECONDS)
    order = [found.article_id for _ in range(3) if (found := await ledger.claim())]
    assert order == ["doubtful", "backlog"]


async def test_looking_for_doubts_reads_neither_the_backlog_nor_what_waits_for_a_person(
    ledger: Ledger, clock: ManualClock, plan: Make, database: Database
) -> None:
    for number in range(20):
        one = await claimed(ledger, plan(article_id=f"a{number:02}"))
        await ledger.unknown(one, "only a person can tell", None)
    for number in range(20):
        await ledger.plan(plan(article_id=f"b{number:02}"))
    asked = {
        "priority": NORMAL,
        "state": {"$in": list(DOUBTFUL)},
        "due_at": {"$lte": clock.now()},
    }
    find = {"find": "deliveries", "filter": asked, "sort": {"due_at": 1}, "limit": 1}
    told = (await database._raw.command({"explain": find}))["executionStats"]
    assert told["totalKeysExamined"] <= len(DOUBTFUL)
    assert told["totalDocsExamined"] == 0


async def test_blocked_outlets_are_left_alone_by_claims_and_by_the_next_due(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    await ledger.plan(plan(article_id="a", outlet="paused"))
    clock.advance(1)
    assert await ledger.claim(PAUSED) is None
    assert await ledger.next_due(PAUSED) is None
    assert await ledger.next_due() == clock.now() - timedelta(seconds=1)
    await ledger.plan(plan(article_id="b", outlet="open"))
    assert await ledger.next_due(PAUSED) == clock.now()
    taken = await ledger.claim(PAUSED)
    assert taken is not None
    assert taken.outlet == "open"


async def test_next_due_is_the_earliest_of_both_priorities(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    assert await ledger.next_due() is None
    early = clock.now()
    await ledger.plan(plan(article_id="a"))
    clock.advance(5)
    await ledger.plan(plan(article_id="b", priority=BREAKING))
    assert await ledger.next_due() == early


async def test_twenty_claimers_at_once_get_twenty_deliveries(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    for number in range(20):
        await ledger.plan(plan(article_id=f"a{number:02}"))
    taken = await asyncio.gather(*(ledger.claim() for _ in range(25)))
    ids = [delivery.id for delivery in taken if delivery]
    assert len(ids) == len(set(ids)) == 20


async def test_planning_at_once_plans_once_and_changes_nothing_later(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    answers = await asyncio.gather(*(ledger.plan(plan()) for _ in range(12)))
    assert sorted(answers) == [False] * 11 + [True]
    one = await ledger.claim()
    assert one is not None
    assert await ledger.plan(plan(revision=7)) is False
    assert await ledger.get(one.id) == one


async def test_claiming_walks_the_due_index(
    database: Database, ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    for number in range(30):
        await ledger.plan(plan(article_id=f"a{number}"))
    await ledger.collection.update_many({}, {"$set": {"due_at": clock.now() + timedelta(days=1)}})
    await ledger.collection.update_one({"article_id": "a7"}, {"$set": {"due_at": clock.now()}})
    explained = await database._raw.command(
        {
            "explain": {
                "find": "deliveries",
                "filter": {
                    "priority": NORMAL,
                    "due_at": {"$lte": clock.now()},
                    "outlet": {"$nin": ["paused"]},
                },
                "sort": {"due_at": 1},
                "limit": 1,
            }
        }
    )
    assert "'indexName': 'due_by_outlet'" in str(explained["queryPlanner"]["winningPlan"])
    assert "'SORT'" not in str(explained["queryPlanner"]["winningPlan"])
    assert explained["executionStats"]["nReturned"] == 1
    assert explained["executionStats"]["totalDocsExamined"] <= 1


async def test_cancel_pending_takes_only_what_has_not_begun_and_is_older(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    under_way = await claimed(ledger, plan(outlet="1"))
    deletion = plan(outlet="1", operation=Operation.DELETE, revision=2)
    await ledger.plan(deletion)
    for outlet in ("2", "3"):
        await ledger.plan(plan(outlet=outlet))
    await ledger.plan(plan(outlet="2", operation=Operation.EDIT, intent="1.2", revision=2))
    await ledger.plan(plan(outlet="2", operation=Operation.EDIT, intent="1.3", revision=3))
    await ledger.plan(plan(article_id="other"))
    assert await ledger.cancel_pending("a", "x", before_revision=3, operation=Operation.EDIT) == 1
    assert await ledger.cancel_pending("a", "retracted", before_revision=9, operation=None) == 3
    states = {one.id: one.state for one in await ledger.of_article("a")}
    assert states.pop(under_way.id) is S.CLAIMED
    assert states.pop(deletion.id) is S.PLANNED, "what takes a post back is never taken back"
    assert set(states.values()) == {S.CANCELLED}
    other = await ledger.of_article("other")
    assert [one.state for one in other] == [S.PLANNED]


async def test_confirming_wakes_the_operations_that_wait_for_it(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    post = await claimed(ledger, plan())
    edit = await claimed(ledger, plan(operation=Operation.EDIT, intent="1.2", revision=2))
    await ledger.wait(edit, clock.now() + timedelta(seconds=60), None, report=False)
    assert await ledger.claim() is None
    await ledger.confirm(post, {"remote_id": "1"})
    woken = await ledger.claim()
    assert woken is not None
    assert woken.id == edit.id
    before, after = await ledger.neighbours(woken)
    assert ([one.id for one in before], after) == ([post.id], [])


async def test_pages_go_down_by_id(ledger: Ledger, clock: ManualClock, plan: Make) -> None:
    for number in range(5):
        await ledger.plan(plan(article_id=f"a{number}"))
    first = await ledger.page({"state": "planned"}, after=None, limit=2)
    second = await ledger.page({"state": "planned"}, after=first[-1].id, limit=9)
    assert [one.article_id for one in first + second] == ["a4", "a3", "a2", "a1", "a0"]


async def test_a_person_may_retry_even_after_the_lateness_limit(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    one = await claimed(ledger, plan(expires_at=clock.now()))
    with pytest.raises(Refused, match="right now"):
        await retry(ledger, one, "Ana")
    missed = await ledger.close(one, S.MISSED, "too late")
    assert missed is not None
    again = await retry(ledger, missed, "Ana")
    assert (again.state, again.expires_at) == (S.PLANNED, None)
    assert again == await ledger.get(one.id)
    with pytest.raises(Refused, match="just changed"):
        await cancel(ledger, missed_as_planned(missed), "Li")
    cancelled = await cancel(ledger, again, "Li")
    assert cancelled.state is S.CANCELLED
    with pytest.raises(Refused, match="not begun"):
        await cancel(ledger, cancelled, "Li")


def missed_as_planned(missed: Delivery) -> Delivery:
    """A stale page: it still shows the delivery as planned, under a fence that is spent."""
    return Delivery(**{**missed.__dict__, "state": S.PLANNED})


async def test_only_an_unknown_outcome_is_resolved_and_it_is_never_simply_retried(
    ledger: Ledger, clock: ManualClock, plan: Make
) -> None:
    one = await claimed(ledger, plan())
    with pytest.raises(Refused, match="only an unknown"):
        await resolve(ledger, one, "Ana", happened=True)
    unknown = await ledger.unknown(one, "cut", None)
    assert unknown is not None
    with pytest.raises(Refused, match="unknown"):
        await retry(ledger, unknown, "Ana")
    back = await resolve(ledger, unknown, "Ana", happened=False)
    assert back.state is S.PLANNED
    taken = await ledger.claim()
    assert taken is not None
    unknown = await ledger.unknown(taken, "cut", None)
    assert unknown is not None
    done = await resolve(ledger, unknown, "Ana", happened=True, url="https://x.example/1")
    assert done.state is S.CONFIRMED
    assert done.line().url == "https://x.example/1"
    with pytest.raises(Refused, match="already happened"):
        await retry(ledger, done, "Ana")
