"""When credentials are renewed and when a person is told: in time, in order, and in words that fit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.domain.forecast import WARN_DAYS, in_words, renew_at, step

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LIVES = st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=4000))


@pytest.mark.parametrize(
    ("life", "renewed_after"),
    [
        (timedelta(hours=2), timedelta(hours=1)),
        (timedelta(days=10), timedelta(days=5)),
        (timedelta(days=60), timedelta(days=48)),
        (timedelta(days=20), timedelta(days=13)),
    ],
)
def test_credentials_are_renewed_with_time_to_spare(
    life: timedelta, renewed_after: timedelta
) -> None:
    assert renew_at(NOW, NOW + life) == NOW + renewed_after


@given(LIVES)
def test_a_renewal_falls_into_the_second_half_of_a_life(life: timedelta) -> None:
    assert NOW + life / 2 <= renew_at(NOW, NOW + life) < NOW + life


@given(LIVES)
def test_the_step_is_the_nearest_day_that_has_come(left: timedelta) -> None:
    found = step(NOW + left, NOW)
    come = [days for days in WARN_DAYS if left <= timedelta(days=days)]
    assert found == (come[-1] if come else None)


def test_the_steps_as_the_end_comes_nearer() -> None:
    left = (15, 14, 8, 7, 2, 1, 0, -3)
    assert [step(NOW + timedelta(days=days), NOW) for days in left] == [
        *(None, 14, 14, 7, 7, 1, 1, 1)
    ]


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=14), "run out in 14 days"),
        (timedelta(days=1), "run out in 1 day:"),
        (timedelta(hours=5), "run out in 5 hours"),
        (timedelta(minutes=5), "run out in 1 hour:"),
        (timedelta(), "have run out"),
        (timedelta(days=-3), "have run out"),
    ],
)
def test_the_forecast_in_words(left: timedelta, said: str) -> None:
    assert said in in_words(NOW + left, NOW)
