"""The public's reaction to an article: what its posts gathered on all networks together. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shared.contracts.outlets import Counts, OutletFigures


def total(figures: Iterable[OutletFigures]) -> Counts:
    """The sums; what no network names stays untold. Of a post that is gone what it had still happened."""
    sums: dict[str, int] = {}
    for one in figures:
        for name, value in one.counts.model_dump(exclude_none=True).items():
            sums[name] = sums.get(name, 0) + value
    return Counts(**sums)
