"""Codes of the second factor: RFC 6238's own figures, each step once, and what people type."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain.second_factor import (
    enrolment_address,
    is_totp,
    matching_step,
    new_recovery_codes,
    new_secret,
    plain_code,
    recovery_hash,
)
from shared.runtime.clock import ManualClock

SECRET = base64.b32encode(b"12345678901234567890").decode()  # RFC 6238, appendix B
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_figures_of_the_standard(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert matching_step(SECRET, code, now) == seconds // 30


def test_a_step_is_accepted_only_after_the_last_one_used() -> None:
    clock = ManualClock(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    code = pyotp.TOTP(SECRET).at(clock.now())
    step = matching_step(SECRET, code, clock.now())
    assert step is not None
    assert matching_step(SECRET, code, clock.now(), after=step) is None
    clock.advance(30)
    assert matching_step(SECRET, code, clock.now(), after=step) is None
    assert matching_step(SECRET, code, clock.now(), after=step - 1) == step
    clock.advance(30)
    assert matching_step(SECRET, code, clock.now()) is None


@given(
    st.integers(-4, 4),
    st.integers(-4, 4),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
def test_what_is_accepted_is_within_the_window_and_newer(
    offset: int, used: int, now: datetime
) -> None:
    here = int(now.timestamp()) // 30
    code = pyotp.TOTP(SECRET).generate_otp(here + offset)
    found = matching_step(SECRET, code, now, after=here + used)
    if abs(offset) <= 1 and offset > used:
        assert found is not None
    if found is not None:
        assert abs(found - here) <= 1
        assert found > here + used


@given(st.text())
def test_any_text_is_taken_or_refused(text: str) -> None:
    code = plain_code(text)
    assert not any(char.isspace() or char == "-" for char in code)
    found = matching_step(SECRET, code, datetime(2026, 1, 1, tzinfo=UTC))
    assert found is None or is_totp(code)
    assert len(recovery_hash(text)) == 64


@pytest.mark.parametrize(("typed", "plain"), [(" 287 082", "287082"), ("ABCD-efgh", "abcdefgh")])
def test_what_people_type_for_legibility_does_not_matter(typed: str, plain: str) -> None:
    assert plain_code(typed) == plain
    assert recovery_hash(typed) == recovery_hash(plain)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "²²²²²²"])
def test_what_is_no_code_of_an_app(code: str) -> None:
    assert not is_totp(code)


def test_recovery_codes_are_ten_that_cannot_be_guessed() -> None:
    codes = {code for _ in range(20) for code in new_recovery_codes()}
    assert len(codes) == 200
    assert all(len(plain_code(code)) == 16 and not is_totp(plain_code(code)) for code in codes)
    assert len({recovery_hash(code) for code in codes}) == 200


def test_the_address_for_the_app_says_whose_and_where() -> None:
    secret = new_secret()
    assert len(base64.b32decode(secret)) == 20
    parsed = pyotp.parse_uri(enrolment_address(secret, "ada+desk@news.example"))
    assert (parsed.secret, parsed.name, parsed.issuer) == (
        secret,
        "ada+desk@news.example",
        "Herald",
    )
    now = datetime.now(UTC) + timedelta(days=1)
    assert isinstance(parsed, pyotp.TOTP)
    assert matching_step(secret, parsed.at(now), now) == int(now.timestamp()) // 30
