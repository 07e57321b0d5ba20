"""Text of both directions is ordered as the Unicode bidirectional algorithm says (UAX #9)."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cards.bidi import levels, visual


def shown(text: str, base: int) -> str:
    """The characters as they stand from left to right, runs from the right mirrored."""
    found = levels(text, base)
    parts = [
        (level, [text[at] for at, _ in group])
        for level, group in groupby(enumerate(found), lambda one: one[1])
    ]
    ordered = visual(parts, [level for level, _ in parts])
    return "".join("".join(reversed(run) if level % 2 else run) for level, run in ordered)


# Capital Hebrew letters stand for text from the right: אבג reads alef, bet, gimel.
@pytest.mark.parametrize(
    ("text", "base", "expected"),
    [
        ("abc", 0, "abc"),
        ("אבג", 1, "גבא"),
        ("אבג abc", 1, "abc גבא"),
        ("abc אבג", 0, "abc גבא"),
        ("abc אבג def", 0, "abc גבא def"),
        ("אבג abc דהו", 1, "והד abc גבא"),
        # Numbers run from the left also inside words from the right (W1 to W7).
        ("אבג 123", 1, "123 גבא"),
        ("אבג 12.5 דהו", 1, "והד 12.5 גבא"),
        ("אבג 15% דהו", 1, "והד 15% גבא"),
        ("abc 12.5 def", 0, "abc 12.5 def"),
        # A sign at the end goes to the end of the paragraph's direction (N2).
        ("אבג!", 1, "!גבא"),
        ("אבג!", 0, "גבא!"),
        ("abc!", 1, "!abc"),
        # A bracket pair goes with what it encloses (N0); drawing mirrors the signs themselves.
        ("אבג (abc) דהו", 1, "והד )abc( גבא"),
        ("abc (אבג) def", 0, "abc (גבא) def"),
        ("אבג (abc", 1, "abc( גבא"),
        ("a (אב) ג", 0, "a (בא) ג"),
        # Digits after Arabic letters count as Arabic numbers, which no plus sign joins (W2, W4).
        ("ا1+2", 1, "2+1ا"),
        ("אב1+2", 1, "1+2בא"),
    ],
)
def test_known_orders(text: str, base: int, expected: str) -> None:
    assert shown(text, base) == expected


def test_marks_go_with_their_letter() -> None:
    assert levels("אֱabc", 0)[:2] == [1, 1]


def test_spaces_at_the_end_have_the_level_of_the_paragraph() -> None:
    assert levels("abc  ", 1)[-2:] == [1, 1]


@given(
    text=st.text(alphabet="abאב12 .,()+%-ا٣\u0301\u200d!", max_size=30),
    base=st.sampled_from([0, 1]),
)
def test_nothing_is_lost_and_no_level_is_below_the_paragraphs(text: str, base: int) -> None:
    found = levels(text, base)
    assert len(found) == len(text)
    assert all(base <= level <= base + 2 for level in found)
    assert sorted(shown(text, base)) == sorted(text)


@given(text=st.text(max_size=30))
def test_text_of_one_direction_stays_in_order(text: str) -> None:
    latin = "".join(one for one in text if "a" <= one <= "z" or one == " ").strip()
    assert shown(latin, 0) == latin
