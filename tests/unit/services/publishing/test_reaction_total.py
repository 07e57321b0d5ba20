"""The sum of an article's reaction: nothing is counted twice, and what nobody told stays untold."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain.reaction import total
from shared.contracts.outlets import Counts, OutletFigures

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
COUNTS = st.builds(
    Counts, **{name: st.none() | st.integers(0, 10**15) for name in Counts.model_fields}
)


@given(st.lists(COUNTS, max_size=6))
def test_each_sum_is_of_those_who_told_it(told: list[Counts]) -> None:
    figures = [
        OutletFigures(outlet="social/x/main", delivery=str(number), at=AT, counts=counts)
        for number, counts in enumerate(told)
    ]
    sums = total(figures)
    for name in Counts.model_fields:
        values = [value for counts in told if (value := getattr(counts, name)) is not None]
        assert getattr(sums, name) == (sum(values) if values else None)
