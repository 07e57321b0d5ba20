"""Headers of failed messages: written and read back, and hostile ones survived."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.attempt import ERROR_LENGTH, describe
from shared.messaging.letters import failed_attempts, failed_headers, letter_id, read_letter

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

HEADERS = st.dictionaries(
    st.sampled_from(
        ["x-herald-attempt", "x-herald-error", "x-herald-failed-at", "x-herald-origin", "x-death"]
    ),
    st.one_of(
        st.none(),
        st.integers(),
        st.booleans(),
        st.text(),
        st.binary(),
        st.floats(),
        st.lists(st.one_of(st.text(), st.dictionaries(st.text(), st.text(), max_size=2))),
    ),
)


def test_what_is_written_is_read() -> None:
    headers = failed_headers(
        queue="social.articles", attempt=3, error="Oops: no", at=AT, traceparent="00-a-b-01"
    )
    letter = read_letter("social.articles", b'{"id":"e1"}', headers)
    assert (letter.id, letter.queue, letter.error) == ("e1", "social.articles", "Oops: no")
    assert (letter.attempts, letter.failed_at) == (3, AT)
    assert headers["traceparent"] == "00-a-b-01"
    assert failed_attempts(headers) == 3


def test_what_the_broker_parked_says_so() -> None:
    headers = {"x-death": [{"reason": "delivery_limit", "queue": "q", "time": AT, "count": 1}]}
    letter = read_letter("q", b"not json", headers)
    assert letter.error == "parked by the broker: delivery_limit"
    assert letter.failed_at == AT
    assert len(letter.id) == 32


@given(st.binary(), HEADERS)
def test_foreign_messages_are_always_readable(body: bytes, headers: dict[str, Any]) -> None:
    letter = read_letter("q", body, headers)
    assert letter.body == body
    assert letter.id
    assert letter.attempts >= 0
    assert failed_attempts(headers) >= 0


@given(st.recursive(st.none() | st.integers(0, 9) | st.text(), st.lists, max_leaves=5))
def test_an_id_is_found_only_in_an_object_that_has_one(value: object) -> None:
    body = orjson.dumps({"id": value})
    if isinstance(value, str) and value:
        assert letter_id(body) == value
    else:
        assert len(letter_id(body)) == 32
    assert letter_id(body) == letter_id(body)


@given(st.text(st.characters(), max_size=3000))
def test_any_error_fits_a_header(words: str) -> None:
    described = describe(ValueError(words))
    assert described.startswith("ValueError: ")
    assert len(described) <= ERROR_LENGTH
    described.encode()
