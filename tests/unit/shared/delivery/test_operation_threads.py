"""What an operation goes on from, and what makes it void, for every order in which a thread can stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import Delivery, Plan
from shared.delivery.outside import Drop
from shared.delivery.thread import continued, follows, overtaken

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
POST, EDIT, DELETE = Operation.POST, Operation.EDIT, Operation.DELETE
S = DeliveryState
UNFINISHED = (S.PLANNED, S.CLAIMED, S.ARMED, S.WAITING, S.UNKNOWN)
UNSENT = (S.FAILED, S.MISSED, S.CANCELLED)


def one(
    operation: Operation, revision: int, state: S = S.CONFIRMED, *, step: int = 0, **more: Any
) -> Delivery:
    fields: dict[str, Any] = {
        "id": f"{operation}:{revision}",
        "article_id": "a1",
        "outlet": "social/x/main",
        "intent": str(revision),
        "thread": "t",
        "publication": 1,
        "acted_at": NOON,
        "priority": 1,
        "fence": 4,
        "attempts": 1,
        "subject": {},
        "composed_from": revision,
        **more,
    }
    if state is S.CONFIRMED:
        fields.setdefault("result", {"remote_id": f"r{revision}.{step}"})
    return Delivery(operation=operation, revision=revision, state=state, step=step, **fields)


POSTED = one(POST, 1)
REPOSTING = one(EDIT, 3, composed_from=0, result={"remote_id": "r1.0"})
GONE = one(DELETE, 3, step=1, result={"remote_id": "r1.0"})
AGAIN = one(POST, 3, step=2)


def test_only_a_first_post_follows_nothing() -> None:
    assert not follows(POSTED)
    assert all(follows(other) for other in (REPOSTING, GONE, AGAIN, one(DELETE, 9)))


def test_a_place_is_a_revision_and_a_step_and_steps_share_a_thread() -> None:
    assert POSTED.place < REPOSTING.place < GONE.place < AGAIN.place < one(EDIT, 4).place
    plans = [
        Plan("a1", "social/x/main", operation, "1.3", 1, 3, NOON, step=step)
        for step, operation in ((0, EDIT), (1, DELETE), (2, POST))
    ]
    assert len({plan.thread for plan in plans}) == 1
    assert len({plan.id for plan in plans}) == 3


@pytest.mark.parametrize("state", UNFINISHED)
@pytest.mark.parametrize("operation", Operation)
def test_what_may_still_happen_is_waited_for(operation: Operation, state: S) -> None:
    assert continued(operation, 9, [POSTED, one(EDIT, 3, state)]) is None


def test_what_a_person_has_not_done_is_not_waited_for() -> None:
    task = one(EDIT, 3, S.WAITING, task={"remote_id": "r1.0"})
    assert continued(EDIT, 4, [POSTED, task]) == POSTED.result
    assert continued(DELETE, 9, [POSTED, task]) == POSTED.result


@pytest.mark.parametrize("state", UNSENT)
def test_a_change_of_nothing_is_void(state: S) -> None:
    for operation in Operation:
        nothing = continued(operation, 9, [one(POST, 1, state)])
        assert nothing == Drop(S.CANCELLED, "nothing was posted here")


def test_a_repost_goes_on_from_step_to_step() -> None:
    assert continued(EDIT, 3, [POSTED]) == {"remote_id": "r1.0"}
    assert continued(DELETE, 3, [POSTED, REPOSTING]) == {"remote_id": "r1.0"}
    assert continued(POST, 3, [POSTED, REPOSTING, GONE]) == {"remote_id": "r1.0"}
    assert continued(EDIT, 4, [POSTED, REPOSTING, GONE, AGAIN]) == {"remote_id": "r3.2"}
    assert continued(DELETE, 9, [POSTED, REPOSTING, GONE, AGAIN]) == {"remote_id": "r3.2"}


@pytest.mark.parametrize("state", UNSENT)
def test_no_second_post_while_the_first_is_there(state: S) -> None:
    kept = one(DELETE, 3, state, step=1)
    verdict = continued(POST, 3, [POSTED, REPOSTING, kept])
    assert verdict == Drop(S.CANCELLED, "the post before it is still there")
    # And what comes next goes on from that post, with all that the repost would have said.
    never = one(POST, 3, S.CANCELLED, step=2)
    assert continued(EDIT, 4, [POSTED, REPOSTING, kept, never]) == {"remote_id": "r1.0"}


@pytest.mark.parametrize("state", UNSENT)
def test_what_was_removed_and_not_posted_again_is_neither_edited_nor_removed(state: S) -> None:
    thread = [POSTED, REPOSTING, GONE, one(POST, 3, state, step=2)]
    for operation in (EDIT, DELETE):
        verdict = continued(operation, 9, thread)
        assert verdict == Drop(S.CANCELLED, "it was removed and not posted again")


def test_an_edit_that_is_part_of_the_post_is_void_and_a_deletion_never_is() -> None:
    newer = one(POST, 1, composed_from=5)
    assert continued(EDIT, 5, [newer]) == Drop(S.CANCELLED, "already part of what was posted")
    assert continued(EDIT, 6, [newer]) == newer.result
    assert continued(DELETE, 5, [newer]) == newer.result


def test_a_post_whose_id_nobody_knows_is_gone_on_from_for_the_outside_to_ask_a_person() -> None:
    seen = one(POST, 1, result={"remote_id": ""})
    for operation in (EDIT, DELETE):
        assert continued(operation, 9, [seen]) == seen.result


@pytest.mark.parametrize("state", [S.CLAIMED, S.ARMED, S.UNKNOWN])
def test_only_what_has_not_been_sent_is_overtaken(state: S) -> None:
    later = [one(EDIT, 4, S.PLANNED)]
    assert overtaken(one(EDIT, 3, state), later) is (state is S.CLAIMED)


@pytest.mark.parametrize("state", S)
def test_a_newer_change_of_the_same_kind_overtakes_unless_it_ended_unsent(state: S) -> None:
    expected = state not in UNSENT
    assert overtaken(one(EDIT, 3, S.CLAIMED), [one(EDIT, 4, state)]) is expected
    assert overtaken(one(POST, 3, S.CLAIMED, step=2), [one(POST, 4, state, step=2)]) is expected
    # A post that makes good for a deletion has to come before an edit can follow.
    assert not overtaken(one(POST, 3, S.CLAIMED, step=2), [one(EDIT, 4, state)])


@pytest.mark.parametrize("state", S)
def test_making_room_is_overtaken_by_what_was_made_since_and_a_withdrawal_by_nothing(
    state: S,
) -> None:
    room = one(DELETE, 3, S.CLAIMED, step=1)
    assert not overtaken(room, [one(POST, 3, state, step=2)]), "its own next step"
    assert overtaken(room, [one(EDIT, 4, state)]) is (state is S.CONFIRMED)
    assert not overtaken(one(DELETE, 3, S.CLAIMED), [one(EDIT, 4, state)])
