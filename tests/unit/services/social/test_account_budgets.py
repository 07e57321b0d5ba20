"""Rate budgets: the newest word counts, calls side by side never go beyond it, and a tenth is for breaking news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.domain.budgets import (
    LONGEST_WINDOW,
    MOST,
    Budget,
    hold,
    merged,
    taken,
    told,
)

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
seconds = st.integers(-600, 3600).map(lambda s: timedelta(seconds=s))
budgets = st.builds(
    lambda limit, share, resets, at, counted: told(
        limit, limit * share // 100, NOW + resets, NOW + at, counted=counted
    ),
    st.integers(0, 5000),
    st.integers(0, 100),
    seconds,
    st.integers(-5, 5).map(lambda s: timedelta(seconds=s)),
    st.booleans(),
)


def left(remaining: int, limit: int = 300, **more: object) -> Budget:
    fields = {"resets_at": SOON, "told_at": NOW, **more}
    return Budget.model_validate({"limit": limit, "remaining": remaining, **fields})


def test_the_last_tenth_is_kept_and_says_so() -> None:
    assert hold(left(31), NOW, express=False) is None
    held = hold(left(30), NOW, express=False)
    assert held is not None
    assert held.seconds == 300
    assert held.reason == ("rate budget: 30 of 300 left until 14:05 UTC, kept for breaking news")
    assert hold(left(30), NOW, express=True) is None
    assert hold(left(1), NOW, express=True) is None


def test_nothing_left_holds_breaking_news_too() -> None:
    held = hold(left(0), NOW, express=True)
    assert held is not None
    assert held.reason == "rate budget: 0 of 300 left until 14:05 UTC"
    assert hold(left(0), SOON, express=True) is None


@pytest.mark.parametrize(
    ("resets_in", "said"),
    [
        (timedelta(seconds=90), "14:01:30 UTC"),
        (timedelta(hours=3), "17:00 UTC"),
        (timedelta(hours=12), "02:00 UTC on 2026-11-24"),
    ],
)
def test_the_end_is_said_as_people_read_it(resets_in: timedelta, said: str) -> None:
    held = hold(left(0, resets_at=NOW + resets_in), NOW, express=False)
    assert held is not None
    assert held.reason.endswith(said)


def test_percentages_are_said_as_such_and_not_counted_down() -> None:
    budget = left(8, 100, counted=False)
    assert taken(budget, NOW) == budget
    held = hold(budget, NOW, express=False)
    assert held is not None
    assert held.reason.startswith("rate budget: 8 percent of 100 left")


@pytest.mark.parametrize(("limit", "kept"), [(0, 0), (1, 0), (2, 1), (5, 1), (19, 1), (300, 30)])
def test_small_budgets_keep_one_and_never_all(limit: int, kept: int) -> None:
    assert left(limit, limit).kept == kept


def test_answers_that_cross_each_other_give_nothing_back() -> None:
    known = told(10, 6, SOON, NOW)
    for _ in range(3):
        begun = taken(known, NOW)
        assert begun is not None
        known = begun
    assert known.remaining == 3
    # The first of three calls side by side: its answer has counted only itself.
    assert merged(known, told(10, 5, SOON, NOW + timedelta(milliseconds=80))).remaining == 3
    assert merged(known, told(10, 2, SOON, NOW + timedelta(milliseconds=80))).remaining == 2


def test_a_new_window_begins_anew_and_an_old_answer_is_passed_over() -> None:
    later = told(300, 299, SOON + timedelta(minutes=5), NOW + timedelta(seconds=1))
    assert merged(left(3), later) == later
    assert merged(left(3), told(300, 200, SOON, NOW - timedelta(seconds=1))) == left(3)
    over = left(3, resets_at=NOW)
    again = told(300, 299, NOW + timedelta(milliseconds=500), NOW)
    assert merged(over, again) == again


@given(
    limit=st.integers(-(2**80), 2**80),
    remaining=st.integers(-(2**80), 2**80),
    resets_in=st.integers(-(10**9), 10**9),
)
def test_whatever_a_network_says_can_be_kept(limit: int, remaining: int, resets_in: int) -> None:
    budget = told(limit, remaining, NOW + timedelta(seconds=resets_in), NOW)
    assert 0 <= budget.remaining <= budget.limit <= MOST
    assert budget.resets_at <= NOW + LONGEST_WINDOW
    assert 0 <= budget.kept <= max(0, budget.limit - 1)


@given(known=st.none() | budgets, new=budgets)
def test_within_one_window_it_only_sinks(known: Budget | None, new: Budget) -> None:
    after = merged(known, new)
    assert after in (known, new) or (
        known is not None and after.remaining == min(known.remaining, new.remaining)
    )
    if known and known.resets_at == new.resets_at > new.told_at and new.counted:
        assert after.remaining <= known.remaining
    assert merged(after, new) == after


@given(budget=st.none() | budgets)
def test_breaking_news_passes_wherever_others_pass(budget: Budget | None) -> None:
    express, standard = (hold(budget, NOW, express=one) for one in (True, False))
    if standard is None:
        assert express is None
    if express is not None:
        assert standard is not None
        assert budget is not None
        assert budget.remaining == 0
        assert 0 < express.seconds <= LONGEST_WINDOW.total_seconds() + 5


@given(limit=st.integers(1, 400), express=st.lists(st.booleans(), max_size=400))
def test_no_order_of_calls_begins_more_than_there_are(limit: int, express: list[bool]) -> None:
    budget: Budget | None = told(limit, limit, SOON, NOW)
    begun = {True: 0, False: 0}
    for one in express:
        if hold(budget, NOW, express=one) is None:
            begun[one] += 1
            budget = taken(budget, NOW)
    assert sum(begun.values()) <= limit
    assert begun[False] <= limit - told(limit, limit, SOON, NOW).kept
