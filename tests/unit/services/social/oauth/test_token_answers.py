"""Token answers of any shape become tokens or an outcome that is said, and refusals never repeat a secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.channels.oauth import Tokens, tokens_of
from services.social.channels.transport import Answer
from services.social.oauth.asking import SECRETS, WORDS, hidden, words
from shared.delivery.errors import OutcomeUnknown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "error_description", *WORDS, "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["access_token", "expires_in", "refresh_token", "refresh_token_expires_in"]
        ),
        JSON,
    )
)
def test_any_answer_gives_tokens_that_can_be_kept_or_none(told: dict[str, Any]) -> None:
    try:
        tokens = tokens_of(told)
    except OutcomeUnknown:
        assert not isinstance(told.get("access_token"), str) or not told["access_token"]
        return
    assert tokens.access_token
    assert tokens.refresh_token is None or isinstance(tokens.refresh_token, str)
    for seconds in (tokens.expires_in, tokens.refresh_expires_in):
        assert seconds is None or 0 < seconds < 400_000_000


@pytest.mark.parametrize(
    ("stated", "kept"), [(7200, 7200), ("5184000", 5184000), (0, None), (-1, None), ("soon", None)]
)
def test_a_life_in_every_spelling(stated: Any, kept: float | None) -> None:
    assert tokens_of({"access_token": "t", "expires_in": stated}).expires_in == kept


def test_tokens_do_not_show_themselves() -> None:
    assert "s3cret" not in repr(Tokens(access_token="s3cret", refresh_token="s3cret-too"))


@given(JSON)
def test_any_body_has_words_and_they_are_short(body: Any) -> None:
    said = words(Answer(400, {}, body, ""))
    assert said.startswith("HTTP 400")
    assert len(said) <= 500


@given(st.sampled_from(sorted(SECRETS)), st.text("abcdef0123456789", min_size=8, max_size=40))
def test_what_we_sent_is_hidden_when_a_network_repeats_it(name: str, secret: str) -> None:
    value = f"Bearer {secret}" if name == "Authorization" else secret
    said = hidden(f"Invalid token {secret}!", {name: value})
    assert said == "Invalid token [hidden]!"


def test_the_spellings_of_a_refusal() -> None:
    for body, said in (
        ({"error": "invalid_grant", "error_description": "gone"}, "invalid_grant: gone"),
        ({"error": {"message": "Session has expired"}}, "Session has expired"),
        ({"title": "Unauthorized"}, "Unauthorized"),
        ({"error_type": "OAuthException", "error_message": "Used"}, "Used"),
        ([], ""),
    ):
        assert words(Answer(400, {}, body, "")) == (f"HTTP 400: {said}" if said else "HTTP 400")
