"""The breaker opens after five different deliveries failed, for longer each time, and one that works closes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.social.domain.breaker import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PROBE_TIME,
    Breaker,
    begun,
    failed,
    hold,
)

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SAID = "HTTP 503: away"


def opened(now: datetime = NOW) -> Breaker:
    found: Breaker | None = None
    for number in range(FAILURES):
        assert hold(found, now, express=False) is None
        found = failed(found, f"d{number}", SAID, now)
    assert found is not None
    return found


def test_five_different_deliveries_open_it_and_it_says_why() -> None:
    held = hold(opened(), NOW, express=False)
    assert held is not None
    assert held.seconds == 30
    assert held.reason == f"circuit breaker open, next try at 14:00:30 UTC: {SAID}"
    assert hold(opened(), NOW + FIRST_PAUSE, express=False) is None


def test_one_delivery_that_fails_again_and_again_is_no_outage() -> None:
    found: Breaker | None = None
    for _ in range(50):
        found = failed(found, "d1", SAID, NOW)
    assert found is not None
    assert found.until is None


def test_one_post_tries_it_out_and_the_others_wait_for_it() -> None:
    later = NOW + FIRST_PAUSE
    trying = begun(opened(), "probe", later)
    held = hold(trying, later, express=False)
    assert held is not None
    assert held.reason == f"circuit breaker open, one post is trying it out: {SAID}"
    late = failed(trying, "was under way", "another", later)
    assert late == trying
    again = failed(trying, "probe", "still away", later)
    assert again.openings == 2
    assert again.until == later + 2 * FIRST_PAUSE
    assert again.reason == "still away"


def test_a_probe_that_is_never_heard_of_again_leaves_room_for_the_next() -> None:
    later = NOW + FIRST_PAUSE
    trying = begun(opened(), "probe", later)
    assert hold(trying, later + PROBE_TIME, express=False) is None


def test_breaking_news_tries_it_out_every_half_minute() -> None:
    found: Breaker | None = opened()
    now = NOW
    for number in range(8):
        now += FIRST_PAUSE
        assert hold(found, now, express=True) is None
        found = begun(found, f"breaking {number}", now)
        assert hold(found, now, express=True) is not None
        found = failed(found, f"breaking {number}", SAID, now)
    assert hold(found, now, express=False) is not None


def test_closed_it_counts_nothing_of_what_begins() -> None:
    few = failed(None, "d1", SAID, NOW)
    assert begun(None, "d2", NOW) is None
    assert begun(few, "d2", NOW) == few


@given(waits=st.lists(st.integers(0, 1200), max_size=30))
def test_it_is_tried_after_a_quarter_of_an_hour_at_the_latest(waits: list[int]) -> None:
    found: Breaker | None = opened()
    now = NOW
    for number, seconds in enumerate(waits):
        now += timedelta(seconds=seconds)
        held = hold(found, now, express=False)
        if held:
            assert 0 < held.seconds <= LONGEST_PAUSE.total_seconds()
        else:
            found = begun(found, f"p{number}", now)
            found = failed(found, f"p{number}", SAID, now)
            assert found.until is not None
            assert FIRST_PAUSE < found.until - now <= LONGEST_PAUSE
