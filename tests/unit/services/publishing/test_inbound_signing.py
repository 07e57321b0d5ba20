"""Only a fresh message signed with the shared secret is believed, whatever else is sent."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from services.publishing.domain.inbound.signing import Unsigned, verify_ghost, verify_standard

SECRET = "whsec_c2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXMgbG9uZyE="
GHOST = "a secret for Ghost"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BODY = b'{"a": 1}'


def standard(body: bytes = BODY, at: datetime = NOW, id: str = "msg_1") -> dict[str, str]:
    signature = Webhook(SECRET).sign(id, at, body.decode())
    stamp = str(int(at.timestamp()))
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}


def ghost(body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp() * 1000))
    digest = hmac.new(GHOST.encode(), body + stamp.encode(), hashlib.sha256).hexdigest()
    return {"X-Ghost-Signature": f"sha256={digest}, t={stamp}"}


def test_what_the_library_signs_is_believed() -> None:
    assert verify_standard(SECRET, standard(), BODY, NOW) == ("msg_1", NOW)
    several = standard()
    several["webhook-signature"] = "v1,AAAA v2,x " + several["webhook-signature"]
    assert verify_standard(SECRET, several, BODY, NOW)[0] == "msg_1"
    assert verify_ghost(GHOST, ghost(), BODY, NOW)[1] == NOW


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_message_is_refused_though_it_is_signed(minutes: int) -> None:
    at = NOW + timedelta(minutes=minutes)
    with pytest.raises(Unsigned, match="clocks") as refused:
        verify_standard(SECRET, standard(at=at), BODY, NOW)
    assert refused.value.header == "webhook-timestamp"
    with pytest.raises(Unsigned, match="clocks"):
        verify_ghost(GHOST, ghost(at=at), BODY, NOW)


def test_the_old_form_of_ghost_is_refused() -> None:
    digest = hmac.new(GHOST.encode(), BODY, hashlib.sha256).hexdigest()
    stamp = int(NOW.timestamp() * 1000)
    with pytest.raises(Unsigned):
        verify_ghost(GHOST, {"X-Ghost-Signature": f"sha256={digest}, t={stamp}"}, BODY, NOW)
    with pytest.raises(Unsigned):
        verify_ghost(GHOST, {"X-Ghost-Signature": f"sha256={digest}"}, BODY, NOW)


@given(st.binary(max_size=30))
def test_another_body_is_refused(body: bytes) -> None:
    if body != BODY:
        with pytest.raises(Unsigned):
            verify_standard(SECRET, standard(), body, NOW)
        with pytest.raises(Unsigned):
            verify_ghost(GHOST, ghost(), body, NOW)


@given(
    st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text(max_size=60)
)
def test_another_header_is_refused_by_its_name(name: str, value: str) -> None:
    headers = standard() | {name: value}
    if headers == standard():
        return
    with pytest.raises(Unsigned) as refused:
        verify_standard(SECRET, headers, BODY, NOW)
    assert refused.value.header in headers


@given(st.text(max_size=120))
def test_any_ghost_header_is_refused_in_words(value: str) -> None:
    with pytest.raises(Unsigned) as refused:
        verify_ghost(GHOST, {"X-Ghost-Signature": value}, BODY, NOW)
    assert refused.value.header == "X-Ghost-Signature"
