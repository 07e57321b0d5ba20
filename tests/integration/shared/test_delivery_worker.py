"""The worker against a scripted outside: at every crash point an effect happens once, or is said to be unknown."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.carrier import Carrier
from shared.delivery.errors import AuthDead, GiveUp, OutcomeUnknown, TryAgain
from shared.delivery.ledger import LEASE_SECONDS, Ledger
from shared.delivery.model import BREAKING, NORMAL, Delivery, Plan
from shared.delivery.outside import Drop, Go, Hold
from shared.delivery.resolution import resolve, retry
from shared.delivery.slots import Slots
from shared.delivery.worker import Worker
from shared.runtime.clock import ManualClock
from shared.storage.errors import StorageUnavailable

S = DeliveryState
Make = Callable[..., Plan]
CAPABILITIES = ("idempotent", "lookup", "none")
RETRACTED = Drop(S.CANCELLED, "the article was retracted first")


@pytest.fixture
def outside(scripted: Any, request: pytest.FixtureRequest) -> Any:
    return scripted(getattr(request, "param", "none"))


@pytest.fixture
def worker(ledger: Ledger, outside: Any, clock: ManualClock) -> Worker:
    return Worker(ledger, outside, clock)


@pytest.fixture
def carrier(ledger: Ledger, outside: Any, clock: ManualClock) -> Carrier:
    return Carrier(ledger, outside, clock, lambda: None)


async def state_of(ledger: Ledger, plan: Plan) -> Delivery:
    found = await ledger.get(plan.id)
    assert found is not None
    return found


async def settle(worker: Worker, clock: ManualClock) -> None:
    """Let every lease and every waiting time pass, several times over."""
    for _ in range(8):
        await worker.run_due()
        clock.advance(LEASE_SECONDS + 600)


async def test_the_plain_way(ledger: Ledger, outside: Any, worker: Worker, plan: Make) -> None:
    await ledger.plan(plan())
    assert await worker.run_due() == 1
    one = await state_of(ledger, plan())
    assert (one.state, one.attempts) == (S.CONFIRMED, 1)
    assert one.result == {
        "remote_id": f"r-{one.id}",
        "url": "https://outside.example/" + one.outlet,
    }
    assert outside.effects == [(one.id, "post")]


@pytest.mark.parametrize("outside", CAPABILITIES, indirect=True)
@pytest.mark.parametrize("point", ["before arm", "armed", "sending", "sent"])
async def test_a_crash_at_any_point_never_doubles_and_never_guesses(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    killed: Any,
    after: Any,
    point: str,
) -> None:
    if point == "before arm":
        outside.composing = [killed()]
    elif point == "armed":
        outside.guards = [killed()]
    else:
        outside.sends = [killed() if point == "sending" else after(killed())]
    await ledger.plan(plan())
    with pytest.raises(killed):
        await worker.run_due()
    left = await state_of(ledger, plan())
    assert left.state is (S.CLAIMED if point == "before arm" else S.ARMED)
    assert await worker.run_due() == 0  # the lease still holds
    await settle(worker, clock)
    end = await state_of(ledger, plan())
    in_doubt = outside.capability == "none" and point != "before arm"
    assert end.state is (S.UNKNOWN if in_doubt else S.CONFIRMED)
    happened = 0 if in_doubt and point != "sent" else 1
    assert outside.effects == [(end.id, "post")] * happened


@pytest.mark.parametrize("outside", CAPABILITIES, indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_an_unknown_outcome_is_found_out_by_what_the_outside_can_do(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    after: Any,
    applied: bool,
) -> None:
    cut = OutcomeUnknown("the connection was cut")
    outside.sends = [after(cut) if applied else cut]
    await ledger.plan(plan())
    await worker.run_due()
    doubt = await state_of(ledger, plan())
    assert (doubt.state, doubt.reason) == (S.UNKNOWN, "the connection was cut")
    assert (doubt.due_at is None) == (outside.capability == "none")
    await settle(worker, clock)
    end = await state_of(ledger, plan())
    if outside.capability == "none":
        assert (end.state, outside.calls) == (S.UNKNOWN, ["compose", "send"])
        end = await resolve(ledger, end, "Ana", happened=applied)
        await settle(worker, clock)
        end = await state_of(ledger, plan())
    assert end.state is S.CONFIRMED
    assert outside.effects == [(end.id, "post")]


@pytest.mark.parametrize("outside", CAPABILITIES, indirect=True)
@pytest.mark.parametrize("applied", [True, False])
async def test_a_retraction_during_doubt_looks_but_never_sends_again(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    after: Any,
    applied: bool,
) -> None:
    cut = OutcomeUnknown("cut")
    outside.sends = [after(cut) if applied else cut]
    await ledger.plan(plan())
    await worker.run_due()
    outside.standing = RETRACTED
    await settle(worker, clock)
    end = await state_of(ledger, plan())
    assert outside.calls.count("send") == 1
    if outside.capability == "lookup":
        assert end.state is (S.CONFIRMED if applied else S.CANCELLED)
    else:
        assert end.state is S.UNKNOWN


@pytest.mark.parametrize("after", [float("nan"), float("inf"), 1e300, 1e9])
async def test_no_wait_that_the_outside_asks_for_is_endless_or_breaks_the_worker(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock, after: float
) -> None:
    """A 429 is a clean refusal: whatever number came with it, it must not become a doubt."""
    outside.sends = [TryAgain("slow down", after=after, whole_account=True)]
    await ledger.plan(plan())
    await worker.run_due()
    waiting = await state_of(ledger, plan())
    assert waiting.state is S.WAITING
    assert waiting.due_at is not None
    assert clock.now() <= waiting.due_at <= clock.now() + timedelta(days=1)


async def test_try_again_waits_exactly_as_long_as_the_outside_asked(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock
) -> None:
    outside.sends = [TryAgain("slow down", after=37.5, whole_account=True)]
    await ledger.plan(plan())
    await worker.run_due()
    waiting = await state_of(ledger, plan())
    assert (waiting.state, waiting.reason) == (S.WAITING, "slow down")
    assert waiting.due_at == clock.now() + timedelta(seconds=37.5)
    assert (waiting.payload, outside.throttles) == (None, [37.5])
    clock.advance(37.4)
    assert await worker.run_due() == 0
    clock.advance(0.1)
    assert await worker.run_due() == 1
    done = await state_of(ledger, plan())
    assert (done.state, done.attempts, len(outside.effects)) == (S.CONFIRMED, 2, 1)


@pytest.mark.parametrize("phase", ["composing", "sends", "guards", "readiness"])
async def test_failures_back_off_in_every_phase(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock, phase: str
) -> None:
    setattr(outside, phase, [TryAgain("503")] * 4)
    await ledger.plan(plan())
    pauses = []
    for _ in range(4):
        assert await worker.run_due() == 1
        one = await state_of(ledger, plan())
        assert one.state is S.WAITING
        assert one.due_at is not None
        pauses.append((one.due_at - clock.now()).total_seconds())
        clock.advance(pauses[-1] + 0.001)
    for pause, step in zip(pauses, (2, 10, 60, 300), strict=True):
        assert 0.79 * step <= pause <= 1.21 * step
    await worker.run_due()
    assert (await state_of(ledger, plan())).state is S.CONFIRMED
    assert len(outside.effects) == 1


async def test_guards_that_cannot_be_read_leave_no_doubt_behind(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock
) -> None:
    outside.guards = [RuntimeError("a defect")]
    await ledger.plan(plan())
    with pytest.raises(RuntimeError, match="a defect"):
        await worker.run_due()
    assert (await state_of(ledger, plan())).state is S.WAITING
    await settle(worker, clock)
    assert (await state_of(ledger, plan())).state is S.CONFIRMED
    assert len(outside.effects) == 1


@pytest.mark.parametrize("phase", ["composing", "sends"])
async def test_a_refusal_is_final_and_dead_credentials_wait_for_a_person(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock, phase: str
) -> None:
    setattr(outside, phase, [GiveUp("too long"), AuthDead("revoked")])
    refused, dead = plan(article_id="a"), plan(article_id="b")
    await ledger.plan(refused)
    clock.advance(0.001)
    await ledger.plan(dead)
    await worker.run_due()
    one, two = await state_of(ledger, refused), await state_of(ledger, dead)
    assert (one.state, one.reason) == (S.FAILED, "too long")
    assert (two.state, two.reason, outside.dead) == (S.WAITING, "revoked", ["revoked"])
    outside.off = (two.outlet,)  # which is what the outside does when credentials die
    await settle(worker, clock)
    assert outside.effects == []
    outside.off = ()
    await settle(worker, clock)
    assert outside.effects == [(two.id, "post")]


@pytest.mark.parametrize("outside", ["idempotent"], indirect=True)
@pytest.mark.parametrize("error", [TryAgain("503"), AuthDead("revoked"), GiveUp("422")])
async def test_a_refused_repetition_does_not_prove_that_the_first_call_failed(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    after: Any,
    error: Exception,
) -> None:
    outside.sends = [after(OutcomeUnknown("cut")), error]
    await ledger.plan(plan())
    await worker.run_due()
    clock.advance(5)
    await worker.run_due()
    doubt = await state_of(ledger, plan())
    assert doubt.state is S.UNKNOWN
    assert (doubt.due_at is None) == isinstance(error, GiveUp)


async def test_an_edit_waits_for_its_post_and_a_deletion_comes_last(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock
) -> None:
    post = plan()
    edit = plan(operation=Operation.EDIT, intent="1.2", revision=2, priority=0)
    delete = plan(operation=Operation.DELETE, intent="1", revision=3, priority=0)
    for one in (delete, edit, post):
        await ledger.plan(one)
    outside.sends = [TryAgain("busy", after=100.0)]
    await worker.run_due()
    assert [(await state_of(ledger, one)).state for one in (edit, delete)] == [S.PLANNED] * 2
    assert outside.effects == []
    clock.advance(100)
    await settle(worker, clock)
    assert outside.effects == [(post.id, "post"), (edit.id, "edit"), (delete.id, "delete")]
    assert outside.previous == (await state_of(ledger, edit)).result


async def test_an_edit_that_the_post_already_carries_is_cancelled(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock
) -> None:
    outside.composed_revision = 2
    edit = plan(operation=Operation.EDIT, intent="1.2", revision=2)
    await ledger.plan(plan())
    await ledger.plan(edit)
    await settle(worker, clock)
    end = await state_of(ledger, edit)
    assert (end.state, end.reason) == (S.CANCELLED, "already part of what was posted")
    assert len(outside.effects) == 1


@pytest.mark.parametrize("operation", [Operation.EDIT, Operation.DELETE])
async def test_where_nothing_was_posted_nothing_is_edited_or_deleted(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    operation: Operation,
) -> None:
    outside.readiness = [RETRACTED]
    later = plan(operation=operation, intent="1.2", revision=2)
    await ledger.plan(plan())
    await ledger.plan(later)
    await settle(worker, clock)
    assert (await state_of(ledger, plan())).state is S.CANCELLED
    assert (await state_of(ledger, later)).state is S.CANCELLED
    assert outside.effects == []


async def test_a_deletion_waits_for_a_person_and_says_so_when_the_post_has_no_known_id(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock, after: Any
) -> None:
    outside.sends = [after(OutcomeUnknown("cut"))]
    delete = plan(operation=Operation.DELETE, intent="1", revision=2)
    await ledger.plan(plan())
    await worker.run_due()
    await ledger.plan(delete)
    await settle(worker, clock)
    assert (await state_of(ledger, delete)).state is S.PLANNED
    await resolve(ledger, await state_of(ledger, plan()), "Ana", happened=True)
    outside.task = "for a person: remove it"
    await settle(worker, clock)
    end = await state_of(ledger, delete)
    assert end.state is S.WAITING
    assert (end.reason, end.task is None) == ("for a person: remove it", False)
    assert outside.calls.count("send") == 1


async def test_nothing_to_change_is_confirmed_without_a_call(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make
) -> None:
    outside.nothing_to_do = True
    await ledger.plan(plan())
    await worker.run_due()
    assert (await state_of(ledger, plan())).state is S.CONFIRMED
    assert outside.calls == ["compose"]


async def test_past_its_limit_it_is_missed_and_never_a_late_surprise(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock
) -> None:
    limit = clock.now() + timedelta(seconds=60)
    await ledger.plan(plan(expires_at=limit))
    await ledger.plan(plan(article_id="b", expires_at=limit))
    outside.sends = [TryAgain("busy", after=60), TryAgain("busy", after=60.001)]
    await worker.run_due()
    clock.advance(60)
    await worker.run_due()
    clock.advance(0.001)
    await worker.run_due()
    states = {(await state_of(ledger, plan(article_id=id))).state for id in "ab"}
    assert states == {S.CONFIRMED, S.MISSED}
    assert len(outside.effects) == 1


@pytest.mark.parametrize("phase", ["readiness", "guards"])
@pytest.mark.parametrize(("seconds", "state"), [(30.0, S.WAITING), (0.25, S.PLANNED)])
async def test_a_hold_sends_nothing_and_only_a_long_one_is_news(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    phase: str,
    seconds: float,
    state: DeliveryState,
) -> None:
    setattr(outside, phase, [Hold(seconds, "paused")])
    await ledger.plan(plan())
    await worker.run_due()
    held = await state_of(ledger, plan())
    assert (held.state, held.reason) == (state, "paused")
    assert held.due_at == clock.now() + timedelta(seconds=seconds)
    assert outside.effects == []
    clock.advance(seconds)
    await worker.run_due()
    assert len(outside.effects) == 1


@pytest.mark.parametrize("phase", ["readiness", "guards"])
async def test_a_drop_ends_it_unsent(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock, phase: str
) -> None:
    setattr(outside, phase, [RETRACTED])
    await ledger.plan(plan())
    await settle(worker, clock)
    end = await state_of(ledger, plan())
    assert (end.state, end.reason) == (S.CANCELLED, RETRACTED.reason)
    assert outside.effects == []


async def test_a_worker_whose_lease_ran_out_does_not_send(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock, carrier: Carrier
) -> None:
    await ledger.plan(plan())
    slow = await ledger.claim()
    assert slow is not None
    clock.advance(LEASE_SECONDS)
    await worker.run_due()
    await carrier.carry(slow)  # it wakes up, composes, and cannot arm
    assert outside.calls == ["compose", "send", "compose"]
    assert len(outside.effects) == 1


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_faults_and_crashes_with_two_workers(
    ledger: Ledger,
    scripted: Any,
    plan: Make,
    clock: ManualClock,
    killed: Any,
    after: Any,
    capability: str,
    seed: int,
) -> None:
    dice = random.Random(seed)
    plans = [plan(article_id=f"a{number}") for number in range(12)]
    for one in plans:
        await ledger.plan(one)
    outside = scripted(capability)

    def fault() -> Any:
        return dice.choice(
            [
                None,
                killed(),
                after(killed()),
                OutcomeUnknown("cut"),
                after(OutcomeUnknown("cut")),
                TryAgain("503"),
                TryAgain("429", after=3.0, whole_account=True),
                AuthDead("revoked"),
            ]
        )

    async def until_killed(worker: Worker) -> None:
        try:
            await worker.run_due()
        except killed:
            return

    for _ in range(15):
        outside.sends = [fault() for _ in range(6)]
        outside.composing = [killed()] if dice.random() < 0.2 else []
        outside.guards = [killed()] if dice.random() < 0.2 else []
        workers = [Worker(ledger, outside, clock) for _ in range(2)]
        await asyncio.gather(*(until_killed(worker) for worker in workers))
        clock.advance(dice.choice([1, 10, LEASE_SECONDS + 1]))
    assert len(outside.effects) == len(set(outside.effects))
    outside.sends, outside.composing, outside.guards = [], [], []
    for _ in range(3):
        await settle(Worker(ledger, outside, clock), clock)
    assert len(outside.effects) == len(set(outside.effects))
    for one in plans:
        end = await state_of(ledger, one)
        if end.state is S.CONFIRMED:
            assert (one.id, "post") in outside.effects
        else:
            assert (end.state, capability) == (S.UNKNOWN, "none")


async def test_the_running_loop_survives_the_database_and_stops_in_order(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = [0, 0]

    def flaky(place: int, call: Any) -> Any:
        async def sometimes(*args: Any, **options: Any) -> Any:
            failures[place] += 1
            if failures[place] == 1:
                raise StorageUnavailable("no primary")
            return await call(*args, **options)

        return sometimes

    monkeypatch.setattr(ledger, "next_due", flaky(0, ledger.next_due))
    monkeypatch.setattr(ledger, "claim", flaky(1, ledger.claim))
    worker.start()
    async with asyncio.timeout(5):
        while failures[0] < 2:
            await asyncio.sleep(0.01)
    await ledger.plan(plan())
    worker.wake()
    async with asyncio.timeout(3):
        while (await state_of(ledger, plan())).state is not S.CONFIRMED:
            await asyncio.sleep(0.01)
    await worker.stop(2.0)
    await ledger.plan(plan(article_id="b"))
    await asyncio.sleep(0.05)
    assert len(outside.effects) == 1


async def test_what_is_due_for_a_blocked_outlet_does_not_make_the_loop_spin(
    ledger: Ledger,
    outside: Any,
    worker: Worker,
    plan: Make,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await ledger.plan(plan())
    clock.advance(60)
    outside.off = (plan().outlet,)
    looks = 0
    claim = ledger.claim

    async def counted(*args: Any) -> Delivery | None:
        nonlocal looks
        looks += 1
        return await claim(*args)

    monkeypatch.setattr(ledger, "claim", counted)
    worker.start()
    await asyncio.sleep(0.6)
    await worker.stop(1.0)
    assert 1 <= looks <= 3


async def test_stop_lets_the_delivery_under_way_finish(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, claim = asyncio.Event(), ledger.claim

    async def slow_claim(*args: Any) -> Delivery | None:
        taken = await claim(*args)
        entered.set()
        await asyncio.sleep(0.1)  # the answer is on its way when `stop` is called
        return taken

    monkeypatch.setattr(ledger, "claim", slow_claim)
    await ledger.plan(plan())
    worker.start()
    await entered.wait()
    await worker.stop(3.0)
    assert (await state_of(ledger, plan())).state is S.CONFIRMED
    assert len(outside.effects) == 1


async def test_an_older_edit_that_comes_after_a_newer_one_says_nothing_again(
    ledger: Ledger, outside: Any, worker: Worker, plan: Make, clock: ManualClock
) -> None:
    newer = plan(operation=Operation.EDIT, intent="1.3", revision=3)
    late = plan(operation=Operation.EDIT, intent="1.2", revision=2)
    await ledger.plan(plan())
    await worker.run_due()
    await ledger.plan(newer)
    outside.composed_revision = 3
    await worker.run_due()
    await ledger.plan(late)  # by a handler that stood still between holding and planning
    await settle(worker, clock)
    end = await state_of(ledger, late)
    assert (end.state, end.reason) == (S.CANCELLED, "overtaken by a newer change")
    await retry(ledger, end, "Ana")
    await settle(worker, clock)
    assert (await state_of(ledger, late)).state is S.CANCELLED
    assert outside.effects == [(plan().id, "post"), (newer.id, "edit")]


async def test_who_stood_still_past_the_lease_does_not_send(
    ledger: Ledger, outside: Any, carrier: Carrier, plan: Make, clock: ManualClock
) -> None:
    async def guard(delivery: Delivery) -> Go:
        clock.advance(LEASE_SECONDS)  # the machine sleeps while the guards are read
        return Go()

    outside.guard = guard
    await ledger.plan(plan())
    claimed = await ledger.claim()
    assert claimed is not None
    await carrier.carry(claimed)
    assert (outside.calls, outside.effects) == (["compose"], [])
    assert (await state_of(ledger, plan())).state is S.ARMED


async def test_a_call_that_outlasts_the_lease_is_broken_off_before_another_takes_it_up(
    ledger: Ledger,
    outside: Any,
    carrier: Carrier,
    plan: Make,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Uploads and polls can add up to more than the lease; then a look-up would not see the post yet."""
    send = outside.send

    async def late(*args: Any) -> Any:
        await asyncio.sleep(1)  # longer than what is left of the lease when this begins
        return await send(*args)

    async def guard(delivery: Delivery) -> Go:
        clock.advance(LEASE_SECONDS - 0.1)
        return Go()

    monkeypatch.setattr(outside, "send", late)
    monkeypatch.setattr(outside, "guard", guard)
    await ledger.plan(plan())
    claimed = await ledger.claim()
    assert claimed is not None
    await carrier.carry(claimed)
    doubt = await state_of(ledger, plan())
    assert (doubt.state, outside.effects) == (S.UNKNOWN, [])
    assert "longer than one worker may hold it" in (doubt.reason or "")


@pytest.mark.parametrize("outside", ["idempotent"], indirect=True)
async def test_who_stood_still_while_finding_out_does_not_send_either(
    ledger: Ledger, outside: Any, carrier: Carrier, plan: Make, clock: ManualClock, after: Any
) -> None:
    outside.sends = [after(OutcomeUnknown("cut"))]
    await ledger.plan(plan())
    claimed = await ledger.claim()
    assert claimed is not None
    await carrier.carry(claimed)
    clock.advance(5)
    doubtful = await ledger.claim()
    assert doubtful is not None
    clock.advance(LEASE_SECONDS)
    await carrier.carry(doubtful)
    assert outside.calls.count("send") == 1


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize(
    ("said", "state"),
    [
        (None, S.CONFIRMED),
        (GiveUp("too long"), S.FAILED),
        (TryAgain("busy"), S.WAITING),
        (AuthDead("revoked"), S.WAITING),
        (OutcomeUnknown("cut"), S.UNKNOWN),
    ],
)
async def test_a_failover_after_the_call_does_not_make_a_doubt_of_what_is_known(
    ledger: Ledger,
    outside: Any,
    carrier: Carrier,
    plan: Make,
    monkeypatch: pytest.MonkeyPatch,
    applied: bool,
    said: Exception | None,
    state: DeliveryState,
) -> None:
    """`applied`: the write came through although the database said that it is away."""
    outside.sends = [said]
    update, broken = ledger.collection.update_one, [False]
    send = outside.send

    async def sending(*args: Any) -> Any:
        broken[0] = True
        return await send(*args)

    async def failing_once(*args: Any, **options: Any) -> bool:
        if broken[0]:
            broken[0] = False
            if applied:
                await update(*args, **options)
            raise StorageUnavailable("stepping down")
        return await update(*args, **options)

    monkeypatch.setattr(outside, "send", sending)
    monkeypatch.setattr(ledger.collection, "update_one", failing_once)
    await ledger.plan(plan())
    claimed = await ledger.claim()
    assert claimed is not None
    await carrier.carry(claimed)
    end = await state_of(ledger, plan())
    assert (end.state, end.fence) == (state, claimed.fence + 2)
    found = await ledger.collection.find_one({"_id": end.id})
    assert found is not None
    assert len(found["outbox"]) == 1, "one report of it, neither lost nor twice"


async def test_slow_standard_work_delays_no_breaking_news_and_no_other_outlet(
    ledger: Ledger, outside: Any, plan: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, send = asyncio.Event(), outside.send

    async def slow_send(delivery: Delivery, previous: Any) -> Any:
        if delivery.outlet == "slow" and delivery.priority == NORMAL:
            await stuck.wait()
        return await send(delivery, previous)

    monkeypatch.setattr(outside, "send", slow_send)
    for number in range(6):
        await ledger.plan(plan(article_id=f"a{number}", outlet="slow"))
        clock.advance(0.001)
    for number in range(3):
        await ledger.plan(plan(article_id=f"b{number}", outlet="quick"))
        clock.advance(0.001)
    worker = Worker(ledger, outside, clock, Slots(3, express=1, per_outlet=2))
    worker.start()
    quick = [f"b{number}:quick:post:1" for number in range(3)]
    async with asyncio.timeout(5):
        while [id for id, _ in outside.effects] != quick:
            await asyncio.sleep(0.01)
    await ledger.plan(plan(article_id="breaking", outlet="slow", priority=BREAKING))
    worker.wake()
    async with asyncio.timeout(5):
        while outside.effects[-1][0] != "breaking:slow:post:1":
            await asyncio.sleep(0.01)
    held = [await state_of(ledger, plan(article_id=f"a{n}", outlet="slow")) for n in range(6)]
    assert [one.state for one in held] == [S.ARMED] * 2 + [S.PLANNED] * 4
    stuck.set()
    async with asyncio.timeout(5):
        while len(outside.effects) < 10:
            await asyncio.sleep(0.01)
    await worker.stop(1.0)
    done = [int(id[1]) for id, _ in outside.effects if id.startswith("a")]
    assert sorted(done) == list(range(6))
    # Begun in order; two at a time can pass each other, no more.
    assert all(abs(place - number) <= 1 for place, number in enumerate(done))
