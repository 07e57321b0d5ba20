"""The sums over several posts: each is of those who told it, and what nobody told stays untold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.outlets import Counts, total

COUNTS = st.builds(
    Counts, **{name: st.none() | st.integers(0, 10**15) for name in Counts.model_fields}
)


@given(st.lists(COUNTS, max_size=6))
def test_each_sum_is_of_those_who_told_it(told: list[Counts]) -> None:
    sums = total(told)
    for name in Counts.model_fields:
        values = [value for counts in told if (value := getattr(counts, name)) is not None]
        assert getattr(sums, name) == (sum(values) if values else None)
