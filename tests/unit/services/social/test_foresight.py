"""What the preview says of each account is what the ledger and its carrier would do with the same snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.domain.foresight import Step, steps
from services.social.domain.planning import Account, plans
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import SEEN_BY_A_PERSON, Delivery

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATENESS = timedelta(hours=6)
MAIN = Account("mastodon", "main", NOON - timedelta(days=1))
OUTLET, POST = "social/mastodon/main", "a1:social/mastodon/main:post:1"


def article(revision: int = 3, **changes: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "s",
        "url": "https://news.example/articles/s",
        "headline": "h",
        "body": "b",
        "body_html": "<p>b</p>",
        "section": "city",
        "language": "en",
        "status": "published",
        "revision": revision,
        "publication": 1,
        "published_at": NOON,
        "updated_at": NOON,
        **changes,
    }
    return Article(**fields)


def delivery(state: DeliveryState = DeliveryState.CONFIRMED, **changes: Any) -> Delivery:
    confirmed = state is DeliveryState.CONFIRMED
    fields: dict[str, Any] = {
        "id": POST,
        "article_id": "a1",
        "outlet": OUTLET,
        "operation": Operation.POST,
        "intent": "1",
        "thread": f"a1:{OUTLET}:1:",
        "publication": 1,
        "revision": 1,
        "acted_at": NOON,
        "priority": 1,
        "state": state,
        "fence": 4,
        "attempts": 1,
        "subject": {},
        "composed_from": 1 if confirmed else None,
        "result": {"remote_id": "7", "url": "https://m.example/7"} if confirmed else None,
        **changes,
    }
    return Delivery(**fields)


def foreseen(
    *existing: Delivery, now: datetime = NOON, accounts: tuple[Account, ...] = (MAIN,), **of: Any
) -> list[Step]:
    return steps(article(**of), now, accounts, existing, LATENESS)


def test_a_first_post_has_the_key_it_will_have() -> None:
    [plan] = plans(article(), NOON, [MAIN], [], lateness=LATENESS, traceparent=None)
    assert foreseen() == [Step(OUTLET, Operation.POST, plan.id)]


def test_an_edit_goes_on_from_what_was_posted() -> None:
    edit = delivery(
        id="e",
        operation=Operation.EDIT,
        revision=2,
        composed_from=2,
        result={"remote_id": "7", "url": None, "corrections": 1},
    )
    [step] = foreseen(delivery(), edit)
    assert (step.operation, step.key) == (Operation.EDIT, f"a1:{OUTLET}:edit:1.3")
    assert step.previous == edit.result


@pytest.mark.parametrize("state", [DeliveryState.PLANNED, DeliveryState.WAITING])
def test_a_post_that_has_not_begun_carries_the_change_itself(state: DeliveryState) -> None:
    assert foreseen(delivery(state)) == [Step(OUTLET, Operation.POST, POST)]
    late = delivery(state, expires_at=NOON)
    [step] = foreseen(late, now=NOON + timedelta(seconds=1))
    assert (step.operation, step.reason) == (None, "too late: past its limit")


@pytest.mark.parametrize(
    "state", [DeliveryState.CLAIMED, DeliveryState.ARMED, DeliveryState.UNKNOWN]
)
def test_what_is_under_way_is_not_guessed_at(state: DeliveryState) -> None:
    [step] = foreseen(delivery(state))
    assert (step.operation, step.key) == (Operation.EDIT, None)
    assert step.reason
    [gone] = foreseen(delivery(state), status=Status.RETRACTED)
    assert (gone.operation, gone.key) == (Operation.DELETE, None)


@pytest.mark.parametrize(
    "state", [DeliveryState.FAILED, DeliveryState.MISSED, DeliveryState.CANCELLED]
)
def test_nothing_is_changed_where_nothing_was_posted(state: DeliveryState) -> None:
    assert foreseen(delivery(state)) == [Step(OUTLET, None, reason="nothing was posted here")]
    gone = foreseen(delivery(state), status=Status.RETRACTED)
    assert gone == [Step(OUTLET, None, reason="nothing was posted here")]


def test_a_withdrawal_cancels_what_has_not_begun_and_deletes_what_is_out() -> None:
    for status in (Status.RETRACTED, Status.UNPUBLISHED):
        [step] = foreseen(delivery(DeliveryState.PLANNED), status=status)
        assert (step.operation, step.reason) == (None, "nothing was posted here")
        [step] = foreseen(delivery(), status=status)
        assert (step.operation, step.previous) == (Operation.DELETE, delivery().result)
        waiting = delivery(
            DeliveryState.WAITING, id="e", operation=Operation.EDIT, revision=2, intent="1.2"
        )
        [step] = foreseen(delivery(), waiting, status=status)
        assert step.operation is Operation.DELETE


def test_what_a_person_confirmed_is_gone_on_from() -> None:
    seen = {"remote_id": SEEN_BY_A_PERSON}
    [step] = foreseen(delivery(result=seen))
    assert (step.operation, step.previous) == (Operation.EDIT, seen)


def test_a_second_publication_deletes_the_first_post_and_makes_its_own() -> None:
    found = foreseen(delivery(), publication=2, status="published")
    assert [step.operation for step in found] == [Operation.DELETE, Operation.POST]


@pytest.mark.parametrize(
    ("changes", "existing", "reason"),
    [
        ({"skip_outlets": ("social",)}, (), "left out by the editor"),
        ({"status": "unpublished"}, (), "nothing was posted here"),
        ({}, (delivery(revision=3),), "nothing to change here"),
    ],
)
def test_an_idle_account_says_why(
    changes: dict[str, Any], existing: tuple[Delivery, ...], reason: str
) -> None:
    assert foreseen(*existing, **changes) == [Step(OUTLET, None, reason=reason)]


def test_an_account_that_came_later_says_so() -> None:
    new = Account("bluesky", "new", NOON + timedelta(seconds=1))
    [step] = foreseen(accounts=(new,), now=NOON + timedelta(hours=1))
    assert step.reason == "the account was connected after the article was published"


@given(
    states=st.lists(st.sampled_from(DeliveryState), max_size=4),
    status=st.sampled_from([Status.PUBLISHED, Status.UNPUBLISHED, Status.RETRACTED]),
    publication=st.integers(1, 2),
)
def test_every_account_has_a_line_and_every_line_says_something(
    states: list[DeliveryState], status: Status, publication: int
) -> None:
    existing = [
        delivery(
            state,
            id=f"d{number}",
            operation=Operation.EDIT if number else Operation.POST,
            revision=number + 1,
        )
        for number, state in enumerate(states)
    ]
    found = foreseen(*existing, revision=9, status=status, publication=publication)
    assert OUTLET in {step.outlet for step in found}
    for step in found:
        assert step.key or step.reason
        assert step.operation or step.reason
        if step.operation in {Operation.EDIT, Operation.DELETE} and step.key:
            assert step.previous
