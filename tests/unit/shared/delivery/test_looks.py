"""Looks at the ledger: as many as may find something, none that certainly finds nothing, and no news is ever missed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.looks import Looks


def empty(now: float = 0.0, until: float = 10.0) -> Looks:
    looks = Looks()
    assert looks.wait(now) == 0
    looks.nothing(until)
    return looks


def test_while_something_is_found_it_looks_on() -> None:
    looks = Looks()
    for _ in range(5):
        assert looks.wait(0.0) == 0
        looks.found()


def test_nothing_found_waits_until_something_falls_due() -> None:
    looks = empty()
    assert looks.wait(4.0) == 6.0
    assert looks.wait(10.0) == 0
    looks.found()
    assert looks.wait(10.0) == 0  # more may have fallen due in the same instant


def test_each_that_ends_is_worth_one_look() -> None:
    looks = empty()
    looks.ended()
    looks.ended()
    for _ in range(2):
        assert looks.wait(1.0) == 0
        looks.found()
    assert looks.wait(1.0) == 9.0


def test_news_during_a_look_is_not_lost() -> None:
    looks = Looks()
    assert looks.wait(0.0) == 0
    looks.news()
    looks.nothing(10.0)
    assert looks.wait(0.0) == 0


def test_an_end_during_a_look_is_not_lost() -> None:
    looks = Looks()
    assert looks.wait(0.0) == 0
    looks.ended()
    looks.nothing(10.0)
    assert looks.wait(0.0) == 0
    looks.nothing(10.0)
    assert looks.wait(0.0) == 10.0


@given(steps=st.lists(st.sampled_from(["work", "end", "look"]), max_size=60))
def test_work_with_room_for_it_is_always_looked_for(steps: list[str]) -> None:
    """Two slots: whatever the order, when no look is worth it there is no work or no room."""
    looks, waiting, running = Looks(), 0, 0
    for step in steps:
        if step == "work":
            waiting += 1
            looks.news()
        elif step == "end" and running:
            running -= 1
            looks.ended()
        elif step == "look":
            while looks.wait(0.0) == 0:
                if waiting and running < 2:
                    waiting, running = waiting - 1, running + 1
                    looks.found()
                else:
                    looks.nothing(10.0)
            assert not waiting or running == 2
