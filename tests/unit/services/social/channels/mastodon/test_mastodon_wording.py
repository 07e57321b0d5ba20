"""Counting: equal to the stand-in server's for ordinary texts, never less for any text."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from services.social.channels.mastodon.fake_rules import counted
from services.social.channels.mastodon.wording import fit, length

LONG_LINK = "https://www.example.org/politik/" + "a" * 80 + "?utm_source=mastodon&utm_medium=social"

PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            LONG_LINK,
            "https://a.de",
            "http://127.0.0.1:8080/articles/x",
            "http://localhost:8080/x?y=1",
            "https://ümlaut.de/straße(1)",
            "https://ü.de(aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "HTTPS://EXAMPLE.ORG/?",
            "https://a.org/x?q=1.",
            "https://a.org.b",
            "https://a.org@b",
            "https://a.org+b",
            "https://x!https://a.org",
            "gemini://a.org/",
            "ipfs://ü.de/é",
            "https://",
            "@reporter@news.social",
            "@reporter@news.social.",
            "@reporter@news.social/about",
            "@reporter@news.social\u0301",
            "@a@b.orghttps://c.de",
            "@reporter",
            "me@example.org",
            "#Klima",
            "👨‍👩‍👧‍👦",
            "🇩🇪",
            "🇩",
            "e\u0301",
            "\u200d",
            "مرحبا بالعالم",
            "\n",
            " ",
            "(",
            ")",
            "é",
            "ä",
            "@",
            "/",
        ]
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Grüße", 5),
        ("👨‍👩‍👧‍👦🇩🇪e\u0301", 3),
        (LONG_LINK, 23),
        (f"Read: {LONG_LINK}.", 6 + 23 + 1),
        (f"({LONG_LINK})", 25),
        ("http://127.0.0.1:8080/a", 23),
        ("@reporter@news.example.social said", 9 + 5),
        ("mail me@example.org", 19),
        ("مرحبا", 5),
    ],
)
def test_ordinary_texts_count_as_on_the_server(text: str, count: int) -> None:
    assert length(text) == count == counted(text)


def test_reserved_characters_follow_the_server() -> None:
    assert length(f"a {LONG_LINK}", 40) == 42


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_never_counts_less_than_the_server(text: str) -> None:
    assert length(text) >= counted(text)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 120))
def test_fitted_text_is_within_the_limit_and_cut_between_graphemes(text: str, limit: int) -> None:
    fitted = fit(text, limit)
    assert counted(fitted) <= limit
    if fitted == text or not fitted:
        return
    kept = fitted.removesuffix("…").removesuffix(" ")
    assert text.startswith(kept)
    assert len(kept) in {0} | {found.end() for found in regex.finditer(r"\X", text)}


@pytest.mark.parametrize("limit", range(1, 60))
def test_never_cut_inside_a_link_mention_or_hashtag(limit: int) -> None:
    words = ["Before", LONG_LINK, "@reporter@news.social", "#Klimawandel", "after", "all"]
    kept = fit(" ".join(words), limit).removesuffix("…").split()
    assert kept == words[: len(kept)] or kept[:-1] == words[: len(kept) - 1]
    if kept and kept[-1] not in words:
        assert words[len(kept) - 1] in {"Before", "after", "all"}
