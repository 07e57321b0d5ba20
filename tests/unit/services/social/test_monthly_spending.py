"""What posts cost: exact sums by month, a tenth of the limit for breaking news, one word at 80 and at 100 percent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.domain.spending import (
    MICROS,
    Price,
    Spend,
    charged,
    hold,
    of_month,
    reached,
    refunded,
    usd,
)

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
LIMIT = 10 * MICROS
LINK = Price(200_000, LIMIT)
cents = st.integers(0, 3000).map(lambda cent: cent * 10_000)


def spent(micros: int, **more: int) -> Spend:
    return Spend(month="2026-11", micros=micros, limit=LIMIT, **more)


def test_a_month_begins_at_nothing() -> None:
    assert of_month(spent(5), NOW).micros == 5
    assert of_month(spent(5), NOW.replace(month=12)) == Spend(month="2026-12")
    assert of_month(None, NOW) == Spend(month="2026-11")


def test_the_last_tenth_is_kept_and_says_so() -> None:
    assert hold(spent(8_800_000), LINK, NOW, express=False) is None
    held = hold(spent(8_800_001), LINK, NOW, express=False)
    assert held is not None
    assert held.seconds == 3600
    assert held.reason == (
        "cost budget: $8.800 of $10.00 spent in 2026-11, the rest is kept for breaking news"
    )
    assert hold(spent(9_800_000), LINK, NOW, express=True) is None
    over = hold(spent(9_800_001), LINK, NOW, express=True)
    assert over is not None
    assert "kept" not in over.reason


def test_without_a_limit_or_a_price_nothing_is_held() -> None:
    assert hold(spent(10**12), Price(200_000), NOW, express=False) is None
    assert hold(spent(10**12), Price(0, LIMIT), NOW, express=False) is None


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 11, 30, 23, 59, 30, tzinfo=UTC), 30),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), 1800),
        (datetime(2026, 12, 1, tzinfo=UTC), 3600),
    ],
)
def test_a_post_waits_no_longer_than_the_month(now: datetime, seconds: int) -> None:
    held = hold(Spend(month=f"{now:%Y-%m}", micros=LIMIT), LINK, now, express=True)
    assert held is not None
    assert held.seconds == seconds


def test_what_came_to_nothing_is_given_back_in_its_month() -> None:
    assert refunded(charged(spent(5), LINK), LINK, NOW) == spent(5)
    other = Spend(month="2026-10", micros=7)
    assert refunded(other, LINK, NOW) == other
    assert refunded(None, LINK, NOW) is None


@pytest.mark.parametrize(
    ("micros", "told", "held", "percent"),
    [
        (7_999_999, 0, False, 0),
        (8_000_000, 0, False, 80),
        (8_000_000, 80, False, 0),
        (9_000_000, 80, True, 100),
        (9_000_000, 100, True, 0),
        (10_000_000, 80, False, 100),
        (10_000_000, 0, False, 100),
    ],
)
def test_each_percentage_is_told_once(micros: int, told: int, held: bool, percent: int) -> None:
    assert reached(spent(micros, told=told), held=held) == percent


def test_dollars_are_exact() -> None:
    assert [usd(m) for m in (200_000, 15_000, 0, 12_345_000)] == [
        "$0.20",
        "$0.015",
        "$0.00",
        "$12.345",
    ]


@given(limit=cents, posts=st.lists(st.tuples(st.integers(1, 300_000), st.booleans()), max_size=60))
def test_no_order_of_posts_goes_over_the_limit(limit: int, posts: list[tuple[int, bool]]) -> None:
    sums = Spend(month="2026-11")
    standard = 0
    for micros, express in posts:
        price = Price(micros, limit)
        if hold(sums, price, NOW, express=express) is None:
            sums = charged(sums, price)
            standard += 0 if express else micros
    assert sums.micros <= limit
    assert standard <= limit - limit // 10
