"""Texts laid over each other: no character is lost, words stay whole, and no text is too nasty to finish."""

from __future__ import annotations

import random
import time
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain.alignment import WORK, Work, equal_runs
from services.publishing.domain.content import BODY_LENGTH
from services.publishing.domain.segments import Segment, segments, words

NEAR = st.text(alphabet="ab \n\r\u2028.é\u0301東🇫🇷👩\u200d", max_size=40)
"""Few characters, so that two texts have much in common."""
TEXTS = st.one_of(NEAR, st.text(max_size=60))


def compared(before: str, after: str) -> list[tuple[str, str]]:
    return [(one.op, one.text) for one in segments(before, after, Work())]


def put_together(pieces: list[Segment], side: str) -> str:
    return "".join(piece.text for piece in pieces if piece.op in {"same", side})


@given(TEXTS, TEXTS, st.sampled_from([0, 5, 50, WORK]))
def test_the_pieces_make_both_texts_again(before: str, after: str, work: int) -> None:
    pieces = segments(before, after, Work(work))
    assert put_together(pieces, "removed") == before
    assert put_together(pieces, "added") == after
    assert all(piece.text for piece in pieces)
    assert all(one.op != other.op for one, other in pairwise(pieces))
    assert (("added", "removed")) not in [(one.op, other.op) for one, other in pairwise(pieces)]


@given(TEXTS)
def test_a_text_is_the_same_as_itself(text: str) -> None:
    assert compared(text, text) == ([("same", text)] if text else [])


@given(st.text())
def test_words_are_the_whole_text(text: str) -> None:
    assert "".join(words(text)) == text


@given(
    st.lists(st.sampled_from("abcd"), max_size=60),
    st.lists(st.sampled_from("abcd"), max_size=60),
    st.sampled_from([0, 40, 400, WORK]),
)
def test_runs_are_equal_in_order_and_apart(one: list[str], other: list[str], work: int) -> None:
    at = at_other = 0
    for start, start_other, length in sorted(equal_runs(one, other, Work(work))):
        assert length > 0
        assert (start >= at, start_other >= at_other) == (True, True)
        assert one[start : start + length] == other[start_other : start_other + length]
        at, at_other = start + length, start_other + length


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("one two", "one 2 two", "one [+2 ]two"),
        ("Bridge shut", "Bridge shut again", "Bridge shut[+ again]"),
        ("naïve", "naive", "[-naïve][+naive]"),
        ("e\u0301te\u0301", "e\u0301t", "[-e\u0301te\u0301][+e\u0301t]"),
        ("नमस्ते दुनिया", "नमस्ते भारत", "नमस्ते [-दुनिया][+भारत]"),
        ("東京の橋", "東京に橋", "東京[-の][+に]橋"),
        ("👩‍🚀!", "👨‍🚀!", "[-👩‍🚀][+👨‍🚀]!"),
        ("🇫🇷🇩🇪", "🇫🇷🇩🇰", "🇫🇷[-🇩🇪][+🇩🇰]"),
        ("He said.", "He said!", "He said[-.][+!]"),
        ("a\n\nb", "a\nb", "a\n[-\n]b"),
        ("old words here", "new texts there", "[-old words here][+new texts there]"),
        ("first\n\nsecond\n", "first\n\nnew one\n\nsecond\n", "first\n\n[+new one\n\n]second\n"),
    ],
)
def test_what_a_person_sees(before: str, after: str, expected: str) -> None:
    signs = {"same": "{}", "removed": "[-{}]", "added": "[+{}]"}
    assert "".join(signs[op].format(text) for op, text in compared(before, after)) == expected


def test_a_few_edits_of_a_long_body_are_all_that_is_shown() -> None:
    chance = random.Random(7)
    body = [f"word{int(chance.paretovariate(0.7)) % 5000}" for _ in range(20_000)]
    edited = list(body)
    for place in range(500, 20_000, 1000):
        edited[place] = "EDITED"
    for gap in (" ", " \n"):
        pieces = segments(gap.join(body), gap.join(edited), Work())
        assert sum(piece.op == "added" for piece in pieces) == 20
        assert {piece.text.strip() for piece in pieces if piece.op == "added"} == {"EDITED"}


@cache
def _nasty() -> dict[str, tuple[str, str]]:
    chance = random.Random(3)

    def some(letters: str, between: str = "") -> str:
        return between.join(chance.choice(letters) for _ in range(BODY_LENGTH))[:BODY_LENGTH]

    stairs = [f"w{number // 2}" if number % 2 else "z" for number in range(40_000)]
    return {
        "lines of nothing": ("\n" * BODY_LENGTH, "x\n" * (BODY_LENGTH // 2)),
        "two lines": ("a\n" * 100_000, "b\na\n" * 50_000),
        "few letters": (some("ab", " "), some("ab", " ")),
        "an alphabet": (some("abcdefghijklmnopqrstuvwxyz", " "), some("zyxwvutsrq", "\n")),
        "signs": (some("!?.,;:-"), some("!?.,;:-")),
        "flags": ("\U0001f1e6" * BODY_LENGTH, "\U0001f1e7" * (BODY_LENGTH - 1)),
        "joiners": ("👩\u200d" * 100_000, "👨\u200d" * 100_000),
        "marks": ("a" + "\u0301" * 199_999, "b" + "\u0301" * 199_999),
        "han": tuple(  # type: ignore[dict-item]
            "".join(chr(0x4E00 + int(chance.expovariate(0.003))) for _ in range(BODY_LENGTH))
            for _ in range(2)
        ),
        "stairs": (
            " ".join(stairs)[:BODY_LENGTH],
            " ".join("q" if word == "z" else word for word in reversed(stairs))[:BODY_LENGTH],
        ),
    }


@pytest.mark.parametrize("name", list(_nasty()))
def test_the_longest_and_nastiest_texts_finish(name: str) -> None:
    before, after = _nasty()[name]
    work, began = Work(), time.process_time()
    pieces = segments(before, after, work)
    assert time.process_time() - began < 4
    assert work.left >= 0
    assert put_together(pieces, "removed") == before
    assert put_together(pieces, "added") == after
