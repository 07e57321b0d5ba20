"""Turns a network's own names and numbers into counts. Takes any JSON and never guesses a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeGuard

from shared.contracts.outlets import Counts

MOST = 10**15
"""No network has counted so far; a database keeps it exactly, and JSON as well."""


def counts_of(told: Any, names: Mapping[str, str]) -> Counts:
    """`names` is from our field to theirs; what is missing or no whole number stays untold."""
    there = told if isinstance(told, dict) else {}
    found = {ours: there.get(theirs) for ours, theirs in names.items()}
    return Counts(**{ours: value for ours, value in found.items() if is_count(value)})


def is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def metrics_of(told: Any) -> dict[str, Any]:
    """Insights as Meta's networks write them: name -> the value over the post's whole life."""
    data = told.get("data") if isinstance(told, dict) else None
    found: dict[str, Any] = {}
    for metric in data if isinstance(data, list) else []:
        if not isinstance(metric, dict) or not isinstance(metric.get("name"), str):
            continue
        values = metric.get("values")
        last = values[-1] if isinstance(values, list) and values else metric.get("total_value")
        if isinstance(last, dict):
            found[metric["name"]] = last.get("value")
    return found


class Reactions:
    """What people did with the posts of a stand-in, by post id."""

    def __init__(self) -> None:
        self._given: dict[str, Counter[str]] = {}

    def add(self, post_id: str, **counts: int) -> None:
        """`counts` are fields of `Counts`."""
        self._given.setdefault(post_id, Counter()).update(
            Counts(**counts).model_dump(exclude_none=True)
        )

    def told(self, post_id: str, names: Mapping[str, str]) -> dict[str, int]:
        """In the network's words: `names` is from its names to our fields."""
        given = self._given.get(post_id, Counter())
        return {theirs: given[ours] for theirs, ours in names.items()}
