"""A paragraph fits its box: smaller before shorter, even lines before ragged ones, never beyond."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cards.lines import Block, fitted
from shared.cards.paragraphs import paragraph
from shared.cards.typefaces import BOLD

SIZES = range(64, 31, -8)


def block(
    text: str,
    *,
    language: str = "en",
    from_right: bool = False,
    width: int = 600,
    height: int = 220,
    lines: int = 1000,
) -> Block:
    found = paragraph(text, language, from_right=from_right)
    return fitted(found, width=width, height=height, weight=BOLD, sizes=SIZES, lines=lines)


def texts(made: Block) -> list[str]:
    return ["".join(run.text for run in line) for line in made.lines]


def test_few_words_are_large_and_many_are_small() -> None:
    assert block("Harbour opens").size == 64
    assert block("Harbour opens " * 6).size < 64


def test_more_than_fits_ends_in_an_ellipsis_in_the_last_line_there_is_room_for() -> None:
    made = block("The harbour opens again after two years. " * 20)
    assert made.size == SIZES[-1]
    assert texts(made)[-1].endswith("…")
    assert made.height <= 220
    assert len(made.lines) >= 5


def test_the_lines_are_limited() -> None:
    made = block("The harbour opens again after two years of work", lines=1)
    assert len(made.lines) == 1
    assert texts(made)[0].endswith("…")


def test_what_is_left_of_a_cut_text_is_its_beginning() -> None:
    text = "The harbour opens again after two years of work and two of waiting"
    for width in range(60, 600, 7):
        made = block(text, lines=1, width=width)
        assert text.startswith(texts(made)[0].removesuffix("…")), texts(made)


def test_a_word_that_is_too_long_is_broken_at_the_smallest_size() -> None:
    made = block("x" * 60)
    assert made.size == SIZES[-1]
    assert "".join(texts(made)) == "x" * 60


def test_no_last_word_stands_alone() -> None:
    made = block("The bridge over the harbour opens again today", width=560)
    assert len(made.lines) > 1
    assert min(made.widths) > max(made.widths) * 0.6


def test_lines_never_touch() -> None:
    made = block("ẤẤẤ ỵỵỵ " * 6, height=400)
    size = made.size
    tops = [baseline - size for baseline in made.baselines]
    assert all(after - before >= size * 1.17 - 1 for before, after in pairwise(tops))
    ink = made.mask(600)
    for first, second in pairwise(made.baselines):
        rows = [not any(ink.crop((0, y, 600, y + 1)).tobytes()) for y in range(first, second)]
        assert any(rows), "some row between two lines is without ink"


def test_from_the_right_a_line_begins_at_the_right() -> None:
    made = block("جسر", language="ar", from_right=True)
    left, _, right, _ = made.mask(600).getbbox() or (0, 0, 0, 0)
    assert left > 300
    assert right >= 600 - made.size // 4


def test_arabic_letters_join() -> None:
    joined = block("جسر", language="ar", from_right=True).widths[0]
    apart = sum(block(one, language="ar", from_right=True).widths[0] for one in "جسر")
    assert joined < apart * 0.95


def test_devanagari_forms_its_conjuncts() -> None:
    conjunct = block("क्ष", language="hi").widths[0]
    apart = block("क", language="hi").widths[0] + block("ष", language="hi").widths[0]
    assert conjunct < apart * 0.8


@pytest.mark.parametrize("text", ["", "   ", "\U00013000", "\u202e"])
def test_nothing_takes_no_room(text: str) -> None:
    made = block(text)
    assert (made.lines, made.height) == ((), 0)
    assert made.mask(600).getbbox() is None


ALPHABETS = st.one_of(
    st.text(max_size=120),
    st.text(alphabet="abc ÅẤỵ-()\u0301", max_size=300),
    st.text(alphabet="إعادة فتح جسر 123 abc ()٪", max_size=200),
    st.text(alphabet="बंदरगाह का क्षत्रिय ज्ञ", max_size=200),
    st.text(alphabet="港大橋「」、。フェリーabc ", max_size=200),
)


@settings(max_examples=150, deadline=None)
@given(text=ALPHABETS, width=st.integers(1, 700), height=st.integers(1, 300), right=st.booleans())
def test_no_line_is_wider_than_its_box(text: str, width: int, height: int, right: bool) -> None:
    made = block(text, from_right=right, width=width, height=height)
    # One cluster, or "…", is the least that a line has.
    least = made.size * 4
    assert all(length <= max(width, least) for length in made.widths)
    assert made.height <= max(height, made.size * 4)
    assert made.mask(width).size[0] == width
