"""Whatever a network answers to a reading, it is counts, nothing, or one of the errors a reader knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.social.channels import discover
from services.social.channels.base import ChannelSpec, Posted
from services.social.channels.counting import Reactions, counts_of, metrics_of
from shared.contracts.outlets import Counts
from shared.delivery.errors import AuthDead, GiveUp, TryAgain

COUNTING = {name: spec for name, spec in discover().items() if spec.capabilities.counts}
NUMBERS = (
    st.integers(-(2**70), 2**70) | st.booleans() | st.floats() | st.none() | st.text(max_size=5)
)
NAMES = st.sampled_from(
    [
        "data", "posts", "elements", "results", "errors", "statuses", "message", "reactions", "ok",
        "error", "id", "uri", "share", "ugcPost", "count", "summary", "total_count", "comments",
        "shares", "name", "values", "value", "total_value", "public_metrics", "like_count",
        "likeCount", "favourites_count", "totalShareStatistics", "type", "resource_id", "code",
        "error_subcode", "views", "likes", "status",
    ]
)  # fmt: skip
IDS = st.sampled_from(["1", "2", "urn:li:share:1", "at://did:plc:a/app.bsky.feed.post/1"])
GARBAGE = st.recursive(
    NUMBERS | IDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | IDS, inner, max_size=5),
    max_leaves=25,
)


class Content:
    """The body of an answer."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._raw


class Saying:
    """A session of a network that answers the same to everything, but lets Bluesky sign in."""

    def __init__(self, status: int, body: Any) -> None:
        self._status = status
        self._body = body
        self.headers = {"X-RateLimit-Remaining": "many", "x-rate-limit-reset": "-1"}
        self.status = status
        self.content = Content(b"")

    def request(self, _: str, url: Any, **__: Any) -> Saying:
        signing_in = str(url).endswith("createSession")
        token = {"did": "did:plc:a", "handle": "a.test", "accessJwt": "a", "refreshJwt": "b"}
        self.status = 200 if signing_in else self._status
        self.content = Content(_json(token if signing_in else self._body))
        return self

    async def __aenter__(self) -> Saying:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # numbers that no JSON writer of ours makes, but a network's may
        return repr(value).encode()


def asked(spec: ChannelSpec, status: int, body: Any, ids: list[str]) -> dict[str, Counts | None]:
    """What the channel makes of it."""
    session: Any = Saying(status, body)

    async def fetch(_: str) -> bytes:
        return b""

    chosen = spec.settings.model_validate(spec.fake().account("https://network.test"))
    channel: Any = spec.build(chosen, session, fetch)
    told: dict[str, Counts | None] = asyncio.run(
        channel.counts([Posted(remote_id=one, extra={}) for one in ids])
    )
    return told


@pytest.mark.parametrize("name", sorted(COUNTING))
@given(body=GARBAGE, status=st.sampled_from([200, 200, 200, 400, 403, 404, 429, 500, 503]))
@settings(max_examples=120, deadline=None)
def test_no_answer_makes_a_reading_fail_in_another_way(name: str, body: Any, status: int) -> None:
    spec = COUNTING[name]
    ids = ["1", "urn:li:share:1", "at://did:plc:a/app.bsky.feed.post/1"]
    ids = ids[: spec.capabilities.counts_batch]
    try:
        told = asked(spec, status, body, ids)
    except (TryAgain, GiveUp, AuthDead):
        return
    assert set(told) <= set(ids)
    for counts in told.values():
        if counts is not None:
            assert all(value >= 0 for value in counts.model_dump(exclude_none=True).values())


@given(GARBAGE)
def test_a_number_that_is_none_stays_untold(told: Any) -> None:
    counts = counts_of(told, {"likes": "likes", "views": "views"})
    there = told if isinstance(told, dict) else {}
    for name in ("likes", "views"):
        value = getattr(counts, name)
        assert value is None or (value == there[name] and not isinstance(there[name], bool))


@given(GARBAGE)
def test_metrics_of_anything_are_a_mapping_from_names(told: Any) -> None:
    assert all(isinstance(name, str) for name in metrics_of(told))


def test_metrics_are_the_last_values_that_were_told() -> None:
    told = {
        "data": [
            {"name": "views", "values": [{"value": 1}, {"value": 2}]},
            {"name": "reach", "total_value": {"value": 5}},
            {"name": "likes"},
        ]
    }
    assert metrics_of(told) == {"views": 2, "reach": 5}


def test_a_stand_in_refuses_a_reaction_that_no_network_counts() -> None:
    reactions = Reactions()
    with pytest.raises(ValueError, match="applause"):
        reactions.add("1", applause=3)
