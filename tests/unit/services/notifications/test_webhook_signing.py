"""Signatures as an independent implementation of Standard Webhooks sees them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from services.notifications.webhooks.signing import headers

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=5))
def test_the_reference_library_accepts_every_body(data: dict[str, str]) -> None:
    body = orjson.dumps(data)
    signed = headers(SECRET, "msg_1", datetime.now(UTC), body)
    assert Webhook(SECRET).verify(body, signed) == data


def test_the_time_is_that_of_the_attempt_in_any_zone() -> None:
    # The library refuses what is older than five minutes, so it checks the time as well.
    local = datetime.now(timezone(timedelta(hours=9)))
    assert Webhook(SECRET).verify(b"{}", headers(SECRET, "msg_1", local, b"{}")) == {}
    late = headers(SECRET, "msg_1", local - timedelta(minutes=6), b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b"{}", late)


@pytest.mark.parametrize("changed", ["body", "id", "secret"])
def test_anything_changed_is_refused(changed: str) -> None:
    signed = headers(SECRET, "msg_1", datetime.now(UTC), b'{"a":1}')
    body, secret = b'{"a":1}', SECRET
    if changed == "body":
        body = b'{"a":2}'
    elif changed == "id":
        signed["webhook-id"] = "msg_2"
    else:
        secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, signed)


def test_an_id_with_a_dot_would_blur_what_is_signed() -> None:
    with pytest.raises(ValueError, match="dot"):
        headers(SECRET, "msg.1", datetime.now(UTC), b"")
