"""What a post weighs: the network's documented examples, its odd corners, and time that stays even."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.social.channels.x.addresses import addresses
from services.social.channels.x.fake_rules import SCALE, counted
from services.social.channels.x.weighing import weight

PIECES = st.sampled_from(
    ["a", "b1", "com", "co.uk", "xn--p1ai", "中国", "http://", "HTTPS://", "t.co/", ".", "/", "-", "_",
     "@", "#", "$", "é", "日", "(", ")", "?", "&", "=", ":80", " ", "\u200e", "…", "+", "ы", "\ufeff", "\u0301"]
)  # fmt: skip
EMOJI = st.sampled_from(
    [
        *"👨👩👧❤💋🏳🌈🏴☠👁🗨🕵🏃🦸👯⚕🌾🦰♀♂©™♟☝⛷⌚🌍#1*🇩🇪🇦🇺♾🫱A☺👍🏻🏿",
        "\u200d",
        "\ufe0f",
        "\ufe0e",
        "\u20e3",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=14).map("".join),
    st.lists(EMOJI, max_size=10).map("".join),
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("This is a test.", 15),
        ("Hi http://test.co", 26),
        ("test.com", 23),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("foo.co.jp/a_(b)?c=d.", 24),
        ("故人西辞黄鹤楼，烟花三月下扬州。", 32),
        ("é", 1),
        ("e\u0301B", 2),
        ("“it’s – well ‐ so”", 18),
        ("…", 2),
        ("한국", 4),
        ("שלום", 4),
    ],
)
def test_text_and_links(text: str, length: int) -> None:
    assert weight(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("😷", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("👩‍❤️‍💋‍👨", 2),
        ("🙋🏽👨‍🎤", 4),
        ("🇩🇪", 2),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2),
        ("1️⃣", 2),
        ("🏳️‍🌈", 2),
        ("🕵🏾‍♀️", 2),
        ("©", 1),
        ("©️", 2),
        ("☺️", 2),
        ("☺︎", 4),
        ("🇦🇦", 4),  # no such country
        ("🧛‍🚀", 5),  # joined, but nothing that is drawn as one
        ("H🐱☺👨👩👧👦", 13),
    ],
)
def test_emoji_sequences(text: str, length: int) -> None:
    assert weight(text) == length


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see example.com, or www.example.org/a?b=c.", ["example.com", "www.example.org/a?b=c"]),
        ("ana@example.com $example.com #example.com", []),
        ("file.txt e.g. 3.14 v1.2", []),
        ("-example.com _example.com /example.com", []),
        ("http://example.com/wiki/A_(b) end", ["http://example.com/wiki/A_(b)"]),
        ("http://пример.рф/путь", ["http://пример.рф/путь"]),
        ("на пример.рф", []),  # without a scheme only Latin hosts
        ("日本example.jpの話", ["example.jp"]),
        ("http://t.co/abc-def", ["http://t.co/abc"]),
        ("http://127.0.0.1:8080/x", []),
        ("http://" + "a" * 64 + ".com", []),
        ("http://foo_bar.example.com http://exa_mple.com", ["http://foo_bar.example.com"]),
    ],
)
def test_what_is_a_link(text: str, links: list[str]) -> None:
    assert [text[start:end] for start, end in addresses(text)] == links


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_never_less_than_the_stand_in_counts(text: str) -> None:
    assert counted(text) <= weight(text) * SCALE


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_links_weigh_the_same_on_both_sides(text: str) -> None:
    assert counted(text) == weight(text) * SCALE


@pytest.mark.parametrize(
    "text",
    ["a.b." * 1250, "é" * 5000 + ".q", ("é" * 70 + ".") * 70, "é-." * 1600, "a.com/" + "(a" * 2500,
     "ก" * 5000 + ".com", "http://" * 700, "a.com." * 800],
)  # fmt: skip
def test_a_hostile_text_takes_no_time(text: str) -> None:
    began = time.process_time()
    weight(text)
    assert time.process_time() - began < 0.5
