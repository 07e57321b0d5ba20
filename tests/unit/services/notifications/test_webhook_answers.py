"""Every kind of answer of a receiver, and the schedule of attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.webhooks.answers import (
    HORIZON,
    MAX_RETRY_AFTER,
    SCHEDULE,
    Gone,
    failed,
    judged,
    next_pause,
    retry_after,
)
from shared.delivery.errors import DeliveryError, GiveUp, OutcomeUnknown, TryAgain

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def _judged(
    status: int, *, attempts: int = 1, in_doubt: bool = False, asked: str | None = None
) -> DeliveryError | None:
    headers = {"retry-after": asked} if asked else {}
    return judged(status, headers, NOW, attempts=attempts, in_doubt=in_doubt)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert _judged(status) is None


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 413, 422])
def test_a_refusal_was_not_processed_and_is_tried_again(status: int) -> None:
    found = _judged(status)
    assert isinstance(found, TryAgain)
    assert found.after == pytest.approx(5, rel=0.11)
    assert not found.whole_account


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_leaves_it_unknown(status: int) -> None:
    assert isinstance(_judged(status), OutcomeUnknown)
    later = _judged(status, attempts=2, in_doubt=True)
    assert isinstance(later, TryAgain)
    assert later.after == pytest.approx(300, rel=0.11)


def test_gone_is_for_ever() -> None:
    assert isinstance(_judged(410), Gone)


@pytest.mark.parametrize(("status", "asked"), [(429, "120"), (503, "120")])
def test_asked_for_patience_everything_to_the_receiver_waits(status: int, asked: str) -> None:
    found = _judged(status, asked=asked)
    assert isinstance(found, TryAgain)
    assert found.after == 120
    assert found.whole_account


def test_the_last_attempt_gives_up() -> None:
    assert isinstance(_judged(404, attempts=len(SCHEDULE) + 1), GiveUp)
    assert isinstance(
        failed("silence", attempts=len(SCHEDULE) + 1, uncertain=True, in_doubt=True), GiveUp
    )


def test_ten_attempts_end_within_the_horizon() -> None:
    assert sum(SCHEDULE) == 75 * 3600 + 35 * 60 + 5
    assert timedelta(seconds=sum(SCHEDULE)) < HORIZON


@given(st.integers(-3, 30))
def test_pauses_follow_the_schedule_and_end(attempts: int) -> None:
    pause = next_pause(attempts)
    if attempts > len(SCHEDULE):
        assert pause is None
    else:
        assert pause == pytest.approx(SCHEDULE[max(attempts, 1) - 1], rel=0.11)


@given(st.text(max_size=60))
def test_no_retry_after_breaks_or_holds_longer_than_a_day(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or 0 <= found <= MAX_RETRY_AFTER


def test_retry_after_in_both_its_forms() -> None:
    assert retry_after("90", NOW) == 90
    assert retry_after(format_datetime(NOW + timedelta(minutes=2), usegmt=True), NOW) == 120
    assert retry_after(format_datetime(NOW - timedelta(minutes=2), usegmt=True), NOW) == 0
    assert retry_after("99999999999", NOW) == MAX_RETRY_AFTER
    assert retry_after(None, NOW) is None
    assert retry_after("soon", NOW) is None
