"""What only a person can do stands in the ledger until they have done it, and keeps nothing else waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.contracts.events import read_event
from shared.contracts.outlets import DeliveryState, Operation, OutletLine, OutletReported
from shared.delivery.errors import TryAgain
from shared.delivery.ledger import LEASE_SECONDS, Ledger
from shared.delivery.model import Delivery, Plan
from shared.delivery.outside import Drop, Hold
from shared.delivery.resolution import Refused, cancel, resolve, retry
from shared.delivery.worker import Worker
from shared.runtime.clock import ManualClock

S = DeliveryState
Make = Callable[..., Plan]
WORDS = "for a person: tell readers of the correction"


@pytest.fixture
def outside(scripted: Any) -> Any:
    return scripted("none")


@pytest.fixture
def worker(ledger: Ledger, outside: Any, clock: ManualClock) -> Worker:
    return Worker(ledger, outside, clock)


@pytest.fixture
def edit(plan: Make) -> Plan:
    return plan(operation=Operation.EDIT, intent="1.2", revision=2)


@pytest.fixture
async def task(ledger: Ledger, outside: Any, worker: Worker, plan: Make, edit: Plan) -> Delivery:
    """A post that is out, and its change in the hands of a person."""
    await ledger.plan(plan())
    await worker.run_due()
    outside.task, outside.composed_revision = WORDS, 2
    await ledger.plan(edit)
    await worker.run_due()
    return await stored(ledger, edit)


async def stored(ledger: Ledger, wanted: Plan) -> Delivery:
    found = await ledger.get(wanted.id)
    assert found is not None
    return found


async def lines(ledger: Ledger, wanted: Plan) -> list[OutletLine]:
    """What the board was told of it, in order."""
    found = await ledger.collection.find_one({"_id": wanted.id})
    assert found is not None
    told = []
    for event in found["outbox"]:
        report = read_event(event["body"]).data
        assert isinstance(report, OutletReported)
        told += report.lines
    return told


async def settle(worker: Worker, clock: ManualClock) -> None:
    for _ in range(4):
        await worker.run_due()
        clock.advance(LEASE_SECONDS + 600)


async def test_it_stands_with_its_words_and_is_announced_once(
    ledger: Ledger, outside: Any, worker: Worker, clock: ManualClock, task: Delivery, edit: Plan
) -> None:
    assert (task.state, task.reason, task.due_at) == (S.WAITING, WORDS, None)
    assert (task.payload, task.attempts, task.result) == (None, 0, None)
    before = list(outside.calls)
    assert before.count("announced") == 1
    await settle(worker, clock)
    assert outside.calls == before, "nobody touches it but a person"
    assert await stored(ledger, edit) == task
    [line] = await lines(ledger, edit)
    assert (line.state, line.reason, line.task, line.due_at) == (S.WAITING, WORDS, True, None)


async def test_a_person_has_done_it_and_the_thread_goes_on_from_what_they_made(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, task: Delivery, edit: Plan
) -> None:
    done = await resolve(ledger, task, "Ana", happened=True, url="https://outside.example/2")
    assert (done.state, done.reason, done.task) == (S.CONFIRMED, "done by Ana", None)
    assert done == await stored(ledger, edit)
    assert done.result == {"remote_id": "by hand", "url": "https://outside.example/2"}
    last = (await lines(ledger, edit))[-1]
    assert (last.state, last.url, last.task) == (S.CONFIRMED, "https://outside.example/2", None)
    with pytest.raises(Refused, match="already happened"):
        await retry(ledger, done, "Ana")
    outside.task = ""
    later = plan(operation=Operation.EDIT, intent="1.3", revision=3)
    await ledger.plan(later)
    await worker.run_due()
    assert (await stored(ledger, later)).state is S.CONFIRMED
    assert outside.previous == done.result


async def test_a_person_may_cancel_it_or_have_it_decided_anew(
    ledger: Ledger, outside: Any, worker: Worker, clock: ManualClock, task: Delivery, edit: Plan
) -> None:
    with pytest.raises(Refused, match="waits for a person"):
        await resolve(ledger, task, "Ana", happened=False)
    cancelled = await cancel(ledger, task, "Ana")
    assert (cancelled.state, cancelled.reason) == (S.CANCELLED, "cancelled by Ana")
    assert cancelled.task is None
    again = await retry(ledger, cancelled, "Ana")
    assert (again.state, again.task) == (S.PLANNED, None)
    await settle(worker, clock)
    waiting = await stored(ledger, edit)
    assert waiting.task is not None
    outside.task = ""  # the policy has changed
    await retry(ledger, waiting, "Ana")
    await settle(worker, clock)
    end = await stored(ledger, edit)
    assert (end.state, end.task) == (S.CONFIRMED, None)
    assert outside.effects[-1] == (edit.id, "edit")


async def test_a_stale_page_finishes_nothing(ledger: Ledger, task: Delivery) -> None:
    await cancel(ledger, task, "Ana")
    with pytest.raises(Refused, match="just changed"):
        await resolve(ledger, task, "Li", happened=True)


@pytest.mark.parametrize("operation", [Operation.EDIT, Operation.DELETE])
async def test_a_newer_change_does_not_wait_for_it_but_overtakes_it(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    task: Delivery,
    edit: Plan,
    operation: Operation,
) -> None:
    outside.task = ""
    later = plan(operation=operation, intent="1.3", revision=3)
    await ledger.plan(later)
    await worker.run_due()
    assert (await stored(ledger, later)).state is S.CONFIRMED
    end = await stored(ledger, edit)
    assert (end.state, end.reason, end.task) == (S.CANCELLED, "overtaken by a newer change", None)
    with pytest.raises(Refused, match="just changed"):
        await resolve(ledger, task, "Ana", happened=True)
    # Asked for again it has nothing left to say.
    await retry(ledger, end, "Ana")
    await worker.run_due()
    if operation is Operation.EDIT:
        assert (await stored(ledger, edit)).state is S.CANCELLED
        assert outside.effects[-1] == (later.id, "edit")


async def test_what_a_person_finishes_in_the_same_instant_is_what_the_newer_change_goes_on_from(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    task: Delivery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look = ledger.neighbours

    async def then_done(delivery: Delivery) -> Any:
        found = await look(delivery)
        monkeypatch.setattr(ledger, "neighbours", look)
        await resolve(ledger, task, "Ana", happened=True)
        return found

    monkeypatch.setattr(ledger, "neighbours", then_done)
    outside.task = ""
    later = plan(operation=Operation.EDIT, intent="1.3", revision=3)
    await ledger.plan(later)
    await settle(worker, clock)
    assert (await stored(ledger, later)).state is S.CONFIRMED
    assert outside.previous == {"remote_id": "by hand"}


async def test_nobody_is_asked_for_what_must_not_happen_any_more(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock, edit: Plan
) -> None:
    await ledger.plan(plan())
    await worker.run_due()
    outside.task = WORDS
    outside.guards = [
        TryAgain("the database is away", after=1),
        Hold(60, "paused (all): trouble"),
        Drop(S.CANCELLED, "the article was retracted first"),
    ]
    await ledger.plan(edit)
    for state, reason in (
        (S.WAITING, "the database is away"),
        (S.WAITING, "paused (all): trouble"),
        (S.CANCELLED, "the article was retracted first"),
    ):
        await worker.run_due()
        one = await stored(ledger, edit)
        assert (one.state, one.reason, one.task) == (state, reason, None)
        clock.advance(61)
    assert "announced" not in outside.calls
