"""The cut: always within the limit, never inside what must stay whole, at the nicest place that fits."""

from __future__ import annotations

from time import process_time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from services.social.channels.fitting import DEFAULT, fit


def graphemes(text: str) -> int:
    return len(regex.findall(r"\X", text))


def links_as_23(text: str) -> int:
    return graphemes(regex.sub(r"https?://\S+", "x" * 23, text))


PIECES = st.sampled_from(
    [
        "Short. ", "Breaking: ", "мир ", "सत्य क्षि ", "مرحبا بالعالم. ", "速報です。", "👨‍❤️‍👨", "👩🏽‍🚒 ", "🇩🇪🇫🇷",
        "e\u0301", "\r\n", "\u0600 ", "https://news.example/a?b=c#d ", "#ClimateChange ", "@desk@news.example ",
        "https://news.example/" + "long/" * 12, "\n\n", "word, word; ", "\u200d", "“Said.” ",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=40).map("".join)


@given(TEXTS, st.integers(0, 120))
def test_result_is_within_the_limit_and_cut_only_where_allowed(text: str, limit: int) -> None:
    for length in (graphemes, len, lambda s: len(s.encode("utf-8", "surrogatepass")), links_as_23):
        result = fit(text, limit, length)
        assert length(result) <= limit
        if length(text) <= limit:
            assert result == text
            continue
        if not result:
            assert length("…") > limit
            continue
        assert result.endswith("…")
        bounds = {0, *(found.end() for found in regex.finditer(r"\X", text))}
        kept = result.removesuffix("…")
        if not text.startswith(kept) or len(kept) not in bounds:
            kept = kept.removesuffix(" ")
        assert text.startswith(kept)
        assert len(kept) in bounds
        for pattern in DEFAULT:
            for found in pattern.finditer(text):
                assert not found.start() < len(kept) < found.end()


@pytest.mark.parametrize("piece", [".", "!?", ".”", "a.", "…"])
def test_a_page_of_full_stops_is_cut_in_no_time(piece: str) -> None:
    began = process_time()
    assert fit(piece * 20_000, 300, len)
    assert process_time() - began < 2


@given(st.text(alphabet="ab .,", max_size=400), st.integers(1, 60))
def test_a_word_is_kept_whole_when_words_are_short(text: str, limit: int) -> None:
    text = regex.sub(r"\w{4,}", "abc", text)
    result = fit(text, limit, len)
    if result != text and limit > 20 and result != "…":
        kept = result.removesuffix("…").rstrip(" ")
        following = text[len(kept)] if len(kept) < len(text) else " "
        assert following in " .,"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("It fits.", 8, "It fits."),
        ("The first sentence. And a second one that is too long.", 36, "The first sentence. …"),
        ("One two three four five", 14, "One two three…"),
        ("One two, three four", 10, "One two…"),
        ("incomprehensibilities", 10, "incompreh…"),
        ("Look https://news.example/a now", 26, "Look…"),
        ("Look https://news.example/a now please", 31, "Look https://news.example/a …"),
        ("Storm in #NewYork tonight", 14, "Storm in…"),
        ("👨‍❤️‍👨👨‍❤️‍👨👨‍❤️‍👨", 2, "👨‍❤️‍👨…"),
        ("政府は新しい計画を発表した。反対の声もある。", 16, "政府は新しい計画を発表した。 …"),
        ("https://news.example/a", 5, "…"),
        ("anything", 0, ""),
    ],
)
def test_examples(text: str, limit: int, expected: str) -> None:
    assert fit(text, limit, graphemes) == expected


def test_a_link_counted_shorter_than_it_is_uses_the_room() -> None:
    link = "https://news.example/" + "x" * 200
    text = f"Read {link} and then some more words follow here"
    assert links_as_23(text) > 40
    assert fit(text, 40, links_as_23) == f"Read {link} and then…"
