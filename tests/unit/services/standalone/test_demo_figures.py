"""The demo's figures and its table: percentiles are of the values themselves, and text is never markup."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from services.standalone.demo.show import board_table
from services.standalone.demo.verdict import Verdict, spread

MILLISECONDS = st.lists(st.integers(0, 60_000).map(float), min_size=1, max_size=300)


def test_nothing_measured_is_said_so() -> None:
    assert spread([]) == {"count": 0}


@pytest.mark.parametrize(
    ("values", "p50", "p95"),
    [
        ([7.0], 7.0, 7.0),
        ([1.0, 2.0], 1.5, 2.0),
        (list(map(float, range(1, 21))), 10.5, 19.0),
        (list(map(float, range(1, 101))), 50.5, 95.0),
        ([40.04, 10.06], 25.1, 40.0),
    ],
)
def test_known_spreads(values: list[float], p50: float, p95: float) -> None:
    found = spread(values)
    assert (found["p50"], found["p95"]) == (p50, p95)


@given(MILLISECONDS)
def test_p95_is_the_least_value_that_covers_95_of_100(values: list[float]) -> None:
    found = spread(values)
    assert found["count"] == len(values)
    assert found["max"] == max(values)
    assert found["p95"] in values
    assert 100 * sum(value <= found["p95"] for value in values) >= 95 * len(values)
    assert 100 * sum(value < found["p95"] for value in values) < 95 * len(values)
    assert min(values) <= found["p50"] <= found["max"]


def test_a_verdict_is_good_until_something_differs() -> None:
    verdict = Verdict()
    verdict.expect("posts", 1, 1)
    assert verdict.ok
    verdict.expect("posts", 2, 1)
    assert not verdict.ok
    assert verdict.complaints == ["posts: expected 1, found 2"]


def line(**changes: Any) -> dict[str, Any]:
    fields = {"outlet": "site", "operation": "include", "state": "confirmed", "revision": 1}
    return {**fields, **changes}


def printed(title: str, lines: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    Console(file=out, width=160, color_system=None).print(board_table(title, list(lines)))
    return out.getvalue()


def test_the_board_shows_each_line_in_order() -> None:
    shown = printed(
        "Harbour reopens",
        [
            line(outlet="site", revision=2, operation="remove", state="planned"),
            line(outlet="site", url="https://n.example/a", milliseconds=0),
            line(outlet="email", state="failed", reason="550 no such user", milliseconds=41),
        ],
    )
    assert "Harbour reopens" in shown
    rows = [row.split("│")[1:-1] for row in shown.splitlines() if row.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["email", "include", "failed", "550 no such user", "41"],
        ["site", "include", "confirmed", "https://n.example/a", "0"],
        ["site", "remove", "planned", "", ""],
    ]


@pytest.mark.parametrize("text", ["[/]", "Police [update] say", "[red]x[/red]", "a\\[b", "[/bold]"])
def test_what_people_and_networks_write_is_never_markup(text: str) -> None:
    shown = printed(text, [line(reason=text, outlet="webhook/" + text)])
    assert shown.count(text) == 3
