"""Colours that can be read on each other, by the formula of WCAG 2.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cards.colours import INK, READABLE, accent_on, colour, contrast, text_on

COLOURS = st.tuples(*(st.integers(0, 255) for _ in range(3)))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0, 0), (255, 255, 255), 21.0),
        ((255, 255, 255), (255, 255, 255), 1.0),
        ((118, 118, 118), (255, 255, 255), 4.54),
        ((255, 0, 0), (255, 255, 255), 4.0),
    ],
)
def test_known_contrasts(
    one: tuple[int, int, int], other: tuple[int, int, int], expected: float
) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.01)
    assert contrast(one, other) == contrast(other, one)


@given(paper=COLOURS)
def test_text_can_be_read_on_any_paper(paper: tuple[int, int, int]) -> None:
    assert contrast(text_on(paper), paper) >= READABLE
    if contrast(INK, paper) >= READABLE:
        assert text_on(paper) == INK


@given(paper=COLOURS, accent=COLOURS)
def test_an_accent_is_used_only_where_it_can_be_read(
    paper: tuple[int, int, int], accent: tuple[int, int, int]
) -> None:
    used = accent_on(paper, accent)
    assert used == text_on(paper) or (used == accent and contrast(used, paper) >= READABLE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("#0b4f6c", (11, 79, 108)),
        ("#fff", (255, 255, 255)),
        ("rgb(1, 2, 3)", (1, 2, 3)),
        ("#11223344", (17, 34, 51)),
        ("tomato", (255, 99, 71)),
        ("oklch(60% 0.1 20)", (9, 9, 9)),
        ("var(--x)", (9, 9, 9)),
        ("", (9, 9, 9)),
        (None, (9, 9, 9)),
    ],
)
def test_css_colours(value: str | None, expected: tuple[int, int, int]) -> None:
    assert colour(value, (9, 9, 9)) == expected
