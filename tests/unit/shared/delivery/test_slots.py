"""Room for the next delivery: the express lane keeps its own, and no outlet takes more than its part of any lane."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import BREAKING, EVERY_LANE, LANES, NORMAL, Delivery
from shared.delivery.slots import Slots

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
OUTLETS = ["social/x/main", "social/x/sport", "social/bluesky/main"]
A, B, C = OUTLETS


def under_way(outlet: str, priority: int) -> Delivery:
    return Delivery(
        id="a:1",
        article_id="a",
        outlet=outlet,
        operation=Operation.POST,
        intent="1",
        thread="t",
        publication=1,
        revision=1,
        acted_at=NOW,
        priority=priority,
        state=DeliveryState.CLAIMED,
        fence=1,
        attempts=0,
        subject={},
    )


STANDARD, EXPRESS = under_way(A, NORMAL), under_way(A, BREAKING)


def test_nothing_under_way_leaves_every_lane_open() -> None:
    lanes = Slots(2, express=1).lanes([], EVERY_LANE)
    assert lanes == {BREAKING: set(), NORMAL: set()}
    assert list(lanes) == [BREAKING, NORMAL]  # the most urgent is looked at first


def test_a_backlog_takes_only_the_standard_slots() -> None:
    slots = Slots(2, express=1)
    assert set(slots.lanes([STANDARD], EVERY_LANE)) == {BREAKING, NORMAL}
    assert set(slots.lanes([STANDARD, STANDARD], EVERY_LANE)) == {BREAKING}
    assert slots.lanes([STANDARD, STANDARD, EXPRESS], EVERY_LANE) == {}


def test_breaking_news_takes_standard_slots_too() -> None:
    slots = Slots(2, express=1)
    assert set(slots.lanes([EXPRESS], EVERY_LANE)) == {BREAKING, NORMAL}
    assert set(slots.lanes([EXPRESS] * 2, EVERY_LANE)) == {BREAKING, NORMAL}
    assert slots.lanes([EXPRESS] * 3, EVERY_LANE) == {}


def test_a_full_outlet_is_left_alone_in_that_lane_only() -> None:
    slots = Slots(8, express=2, per_outlet=2)
    assert slots.lanes([STANDARD, STANDARD], EVERY_LANE) == {BREAKING: set(), NORMAL: {A}}
    assert slots.lanes([EXPRESS, EXPRESS], EVERY_LANE) == {BREAKING: {A}, NORMAL: set()}


def test_what_is_blocked_stays_blocked() -> None:
    blocked = {BREAKING: (B,), NORMAL: (B, C)}
    lanes = Slots(8, per_outlet=1).lanes([STANDARD], blocked)
    assert lanes == {BREAKING: {B}, NORMAL: {A, B, C}}


@given(
    standard=st.integers(1, 6),
    express=st.integers(0, 4),
    per_outlet=st.none() | st.integers(1, 3),
    wanted=st.lists(st.tuples(st.sampled_from(OUTLETS), st.sampled_from(LANES)), max_size=40),
)
def test_whatever_comes_the_limits_hold_and_the_express_lane_is_never_shut_by_others(
    standard: int, express: int, per_outlet: int | None, wanted: list[tuple[str, int]]
) -> None:
    slots = Slots(standard, express=express, per_outlet=per_outlet)
    running: list[Delivery] = []
    for outlet, priority in wanted:
        lanes = slots.lanes(running, EVERY_LANE)
        if priority in lanes and outlet not in lanes[priority]:
            running.append(under_way(outlet, priority))
        slow = [one for one in running if one.priority == NORMAL]
        urgent = len(running) - len(slow)
        assert len(slow) <= standard
        assert len(running) <= standard + express
        if urgent < express:
            assert BREAKING in slots.lanes(running, EVERY_LANE)
        for lane in LANES:
            for name in OUTLETS:
                count = sum((one.outlet, one.priority) == (name, lane) for one in running)
                assert per_outlet is None or count <= per_outlet


@pytest.mark.parametrize("express", [0, 3])
def test_without_a_limit_one_outlet_may_take_every_slot(express: int) -> None:
    slots = Slots(5, express=express)
    assert slots.lanes([STANDARD] * 4, EVERY_LANE)[NORMAL] == set()
