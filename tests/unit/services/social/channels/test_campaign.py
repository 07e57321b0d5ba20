"""The link of a post: the article's own address untouched, the account's parameters behind it, one link for a post."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.social.channels.campaign import LinkingSettings, content_of, tracked

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), max_size=20)
QUERIES = st.lists(st.tuples(st.sampled_from(["a", "page", "utm_source", "q"]), WORDS), max_size=3)


def settings(**changes: str) -> LinkingSettings:
    return LinkingSettings(**{"utm_source": "mastodon", **changes})


@pytest.mark.parametrize(
    ("url", "changes", "expected"),
    [
        ("https://a.org/x", {}, "https://a.org/x?utm_source=mastodon&utm_medium=social"),
        (
            "https://a.org/x?a=%20b+c",
            {},
            "https://a.org/x?a=%20b+c&utm_source=mastodon&utm_medium=social",
        ),
        ("https://a.org/x#y", {}, "https://a.org/x?utm_source=mastodon&utm_medium=social#y"),
        (
            "https://a.org/x",
            {"utm_source": "fedi", "utm_medium": "post", "utm_campaign": "Wahl 2026"},
            None,
        ),
        ("https://a.org/x", {"utm_source": "", "utm_medium": ""}, "https://a.org/x"),
        (
            "https://a.org/x?utm_source=partner",
            {},
            "https://a.org/x?utm_source=partner&utm_medium=social",
        ),
        (
            "https://a.org/x",
            {"utm_medium": "", "utm_campaign": "a&b=ü"},
            "https://a.org/x?utm_source=mastodon&utm_campaign=a%26b%3D%C3%BC",
        ),
    ],
)
def test_campaign_parameters(url: str, changes: dict[str, str], expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValidationError, match="utm_campaign"):
            settings(**changes)
        return
    assert tracked(url, settings(**changes)) == expected


@given(QUERIES, WORDS, WORDS, WORDS, st.sampled_from(["", "2", "correction-1"]))
def test_own_query_stays_and_every_parameter_comes_back(
    own: list[tuple[str, str]], source: str, medium: str, campaign: str, content: str
) -> None:
    query = "&".join(f"{name}={word}" for name, word in own if not set(word) & set("&=+%;#"))
    url = "https://news.example/2026/quay" + (f"?{query}" if query else "")
    words: dict[str, Any] = {
        "utm_source": source, "utm_medium": medium, "utm_campaign": campaign,
    }  # fmt: skip
    made = tracked(url, settings(**words), content)
    assert made.startswith(url)
    before = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    after = parse_qsl(urlsplit(made).query, keep_blank_values=True)
    assert after[: len(before)] == before
    already = {name for name, _ in before}
    expected = [(name, word) for name, word in words.items() if word and name not in already]
    assert after[len(before) :] == expected + ([("utm_content", content)] if content else [])


NOTICES = st.sampled_from(["", "correction-1", "correction-2", "retraction"])


@given(st.integers(1, 9), NOTICES, st.integers(1, 9), NOTICES)
def test_no_two_posts_of_an_article_share_a_link(a: int, b: str, c: int, d: str) -> None:
    silent = settings(utm_source="", utm_medium="")
    first, second = content_of(a, b), content_of(c, d)
    same = tracked("https://a.org/x", silent, first) == tracked("https://a.org/x", silent, second)
    assert same == ((a, b) == (c, d))
