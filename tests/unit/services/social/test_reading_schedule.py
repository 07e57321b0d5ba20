"""When counts are read, and of which posts: the schedule decays, ends, and is the same in every process."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.domain.decay import DAY, JITTER, STEPS, next_reading, share
from services.social.domain.outness import NotOut, Out, Over, outness
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import SEEN_BY_A_PERSON, Delivery

POSTED = datetime(2026, 11, 23, 9, tzinfo=UTC)
MOMENTS = st.datetimes(
    datetime(2026, 1, 1),
    datetime(2027, 12, 31),
    timezones=st.just(UTC),
)


def test_it_is_read_often_at_first_and_then_ever_more_rarely() -> None:
    now, seen = POSTED, []
    while at := next_reading("a", POSTED, now):
        seen.append((at - POSTED).total_seconds())
        now = at
    late = 1 + JITTER * share("a")
    assert seen == pytest.approx([step * late for step in STEPS])
    pauses = [later - earlier for earlier, later in itertools.pairwise(seen)]
    assert pauses == sorted(pauses)
    assert STEPS[-1] == 30 * DAY


@given(st.text(max_size=40), MOMENTS, MOMENTS)
def test_a_step_is_always_ahead_and_on_its_time(key: str, since: datetime, now: datetime) -> None:
    late = 1 + JITTER * share(key)
    steps = [since + timedelta(seconds=step * late) for step in STEPS]
    assert 1 <= late < 1 + JITTER
    assert next_reading(key, since, now) == min((at for at in steps if at > now), default=None)


def test_posts_of_one_minute_are_not_all_read_in_one() -> None:
    shares = sorted(share(f"delivery {number}") for number in range(1000))
    assert 0 <= shares[0] < 0.02
    assert 0.98 < shares[-1] < 1
    assert len(set(shares)) == 1000


def test_the_end_of_time_is_no_error() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert next_reading("a", last, last) is None


def delivery(
    operation: Operation, state: DeliveryState, revision: int = 1, **more: Any
) -> Delivery:
    fields: dict[str, Any] = {
        "id": f"a:social/x/main:{operation}:{revision}",
        "article_id": "a",
        "outlet": "social/x/main",
        "operation": operation,
        "intent": "1",
        "thread": "t",
        "publication": 1,
        "revision": revision,
        "acted_at": POSTED,
        "priority": 1,
        "state": state,
        "fence": 1,
        "attempts": 1,
        "subject": {},
        **more,
    }
    return Delivery(**fields)


POST = delivery(
    Operation.POST, DeliveryState.CONFIRMED, result={"remote_id": "7"}, milliseconds=2500
)


def test_a_confirmed_post_is_out_since_the_moment_it_was_made() -> None:
    assert outness(POST, [POST]) == Out({"remote_id": "7"}, POSTED + timedelta(milliseconds=2500))


def test_what_its_last_edit_made_of_it_is_what_is_read() -> None:
    edit = delivery(Operation.EDIT, DeliveryState.CONFIRMED, 2, result={"remote_id": "8"})
    failed = delivery(Operation.EDIT, DeliveryState.FAILED, 3, result={"remote_id": "9"})
    assert outness(POST, [POST, edit, failed]) == Out(
        {"remote_id": "8"}, POSTED + timedelta(milliseconds=2500)
    )


@pytest.mark.parametrize("state", [one for one in DeliveryState if one != DeliveryState.CONFIRMED])
def test_what_is_not_confirmed_may_still_come(state: DeliveryState) -> None:
    post = delivery(Operation.POST, state)
    assert outness(post, [post]) == NotOut()


@pytest.mark.parametrize("state", list(DeliveryState))
def test_what_we_took_back_is_over_whatever_the_network_made_of_it(state: DeliveryState) -> None:
    removal = delivery(Operation.DELETE, state, 3)
    assert outness(POST, [POST, removal]) == Over("taken back")


@pytest.mark.parametrize("state", list(DeliveryState))
def test_a_post_is_over_once_it_has_made_room_and_the_one_after_it_is_out(
    state: DeliveryState,
) -> None:
    room = delivery(Operation.DELETE, state, 3, step=1, result={"remote_id": "7"})
    again = delivery(Operation.POST, DeliveryState.CONFIRMED, 3, step=2, result={"remote_id": "9"})
    if state is DeliveryState.CONFIRMED:
        assert outness(POST, [POST, room, again]) == Over("taken back")
        assert outness(again, [POST, room, again]) == Out({"remote_id": "9"}, POSTED)
        withdrawn = delivery(Operation.DELETE, DeliveryState.PLANNED, 9)
        assert outness(again, [POST, room, again, withdrawn]) == Over("taken back")
    else:
        assert isinstance(outness(POST, [POST, room]), Out)


@pytest.mark.parametrize("result", [None, {"remote_id": SEEN_BY_A_PERSON, "url": "https://x"}])
def test_a_post_that_only_a_person_has_seen_cannot_be_asked_for(result: Any) -> None:
    post = delivery(Operation.POST, DeliveryState.CONFIRMED, result=result)
    assert isinstance(outness(post, [post]), Over)
