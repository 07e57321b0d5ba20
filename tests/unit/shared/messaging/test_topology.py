"""The description of the topology, and topic matching against an independent statement of the rule."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.messaging.topology import matches, parking, queue_arguments, rungs

WORDS = st.sampled_from(["article", "published", "breaking", "a", ""])
PATTERN_WORDS = st.one_of(WORDS, st.sampled_from(["*", "#"]))


def by_regex(pattern: str, key: str) -> bool:
    """The rule spelled another way: words with their leading dot; `#` is any number of those."""
    spelled = "".join(
        {"#": r"(?:\.[^.]*)*", "*": r"\.[^.]*"}.get(word, r"\." + re.escape(word))
        for word in pattern.split(".")
    )
    return re.fullmatch(spelled, "." + key) is not None


@given(st.lists(PATTERN_WORDS, min_size=1, max_size=6), st.lists(WORDS, min_size=1, max_size=6))
@example(["#", "a", "#"], ["a"])
@example(["a", "#"], ["a"])
def test_topics_match_as_the_rule_says(pattern: list[str], key: list[str]) -> None:
    spelled, routing_key = ".".join(pattern), ".".join(key)
    assert matches(spelled, routing_key) == by_regex(spelled, routing_key)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("article.*", "article.published", True),
        ("article.*", "article.published.breaking", False),
        ("article.#", "article.published.breaking", True),
        ("article.#", "article", True),
        ("#", "outlet.reported", True),
        ("article.*.breaking", "article.published", False),
        ("*.published", "article.published", True),
        ("article.published", "article.updated", False),
    ],
)
def test_known_topics(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected


def test_the_ladder_is_named_after_its_delays() -> None:
    assert [rung.name for rung in rungs()] == [
        "herald.retry.5s",
        "herald.retry.30s",
        "herald.retry.5m",
        "herald.retry.1h",
    ]
    assert [rung.name for rung in rungs((0.15, 90))] == ["herald.retry.150ms", "herald.retry.90s"]


@given(st.lists(st.integers(1, 10**9), unique=True, max_size=8))
def test_different_delays_never_share_a_queue(milliseconds: list[int]) -> None:
    ladder = rungs(tuple(each / 1000 for each in milliseconds))
    assert len({rung.name for rung in ladder}) == len(milliseconds)
    assert [rung.arguments["x-message-ttl"] for rung in ladder] == milliseconds


def test_a_rung_below_a_millisecond_is_refused() -> None:
    with pytest.raises(ValueError, match="millisecond"):
        rungs((0.0001,))


def test_a_rung_returns_messages_to_the_queue_they_came_from() -> None:
    arguments = rungs((5,))[0].arguments
    assert arguments["x-dead-letter-exchange"] == ""
    assert "x-dead-letter-routing-key" not in arguments


def test_a_queue_parks_what_the_broker_gives_up_and_loses_nothing_on_the_way() -> None:
    assert queue_arguments("social.articles") == {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": parking("social.articles"),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": 20,
    }
