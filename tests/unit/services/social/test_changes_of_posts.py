"""How a change is decided, frozen and carried on: once decided it keeps its way, whatever is chosen later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from services.social.changes import (
    Changes,
    creates,
    frozen,
    intent,
    new_post,
    posted_of,
    remembered,
    repost_key,
    way_of,
)
from services.social.channels.base import MANNER, Posted
from services.social.channels.pictures import LEFT_OUT
from services.social.domain.policy import Choice, Kind, Manner, Policy
from shared.contracts.articles import Article, Correction, Retraction, Status
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.errors import OutcomeUnknown
from shared.delivery.model import NOTE, SEEN_BY_A_PERSON, Delivery, Document, Plan
from shared.delivery.outside import Composed, Leave, Task

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PREVIOUS: Document = {
    "remote_id": "7",
    "url": "https://network.example/7",
    "extra": {"replies": ["8"]},
    "corrections": 0,
    NOTE: "the picture had to stay out",
}


def article(**changes: Any) -> Article:
    fields: dict[str, Any] = {
        "id": "a1",
        "slug": "s",
        "url": "https://news.example/articles/s",
        "headline": "The ferry sails",
        "body": "b",
        "body_html": "<p>b</p>",
        "section": "city",
        "language": "en",
        "status": "published",
        "revision": 3,
        "publication": 1,
        "published_at": NOON,
        "updated_at": NOON,
        "corrections": (Correction(at=NOON, kind="correction", text="Nine."),),
        **changes,
    }
    return Article(**fields)


RETRACTED = article(status=Status.RETRACTED, retraction=Retraction(at=NOON, reason="Not so."))


def delivery(
    operation: Operation = Operation.EDIT, channel: str = "bluesky", **changes: Any
) -> Delivery:
    fields: dict[str, Any] = {
        "id": f"a1:social/{channel}/main:{operation}:1.3",
        "article_id": "a1",
        "outlet": f"social/{channel}/main",
        "intent": "1.3",
        "thread": "t",
        "publication": 1,
        "revision": 3,
        "acted_at": NOON,
        "priority": 0,
        "state": DeliveryState.CLAIMED,
        "fence": 4,
        "attempts": 0,
        "subject": {},
        "traceparent": "00-1-1-01",
        **changes,
    }
    return Delivery(operation=operation, **fields)


class Newsroom:
    """Around the changes: the account's policy, the plans that were entered and the alerts that were rung."""

    def __init__(self) -> None:
        self.chosen = Policy()
        self.plans: list[Plan] = []
        self.told: list[tuple[str, str, str]] = []
        self.relayed: list[str] = []
        self.watched: list[str] = []
        double: Any = self
        self.changes = Changes(double, double, double, self.watch)

    async def policy(self, account_id: str) -> Policy:
        assert account_id in {"bluesky/main", "mastodon/main"}
        return self.chosen

    async def plan(self, plan: Plan) -> bool:
        self.plans.append(plan)
        return True

    async def get(self, delivery_id: str) -> Delivery:
        return delivery(Operation.POST, id=delivery_id, step=2)

    async def watch(self, posts: Sequence[Delivery]) -> None:
        self.watched += [post.id for post in posts]

    def event(self, account_id: str, severity: str, kind: str, *words: str, **about: Any) -> Any:
        assert about == {"article_id": "a1"}
        return severity, kind, words[-1]

    async def announce(self, account_id: str, event: Any) -> None:
        self.told.append(event)
        self.relayed.append(account_id)


@pytest.fixture
def newsroom() -> Newsroom:
    return Newsroom()


async def test_a_channel_is_asked_only_where_it_has_to_find_the_words(newsroom: Newsroom) -> None:
    decide = newsroom.changes.decide
    reply = await decide(delivery(), article(), PREVIOUS)
    assert reply == Choice(Manner.REPLY, Kind.CORRECTION, 0)
    wanted = intent("key", Operation.EDIT, article(), NOON, PREVIOUS, reply, {})
    assert (wanted.change, wanted.manner, wanted.told) == ("correction", Manner.REPLY, 0)
    assert wanted.posted == Posted(
        remote_id="7", url="https://network.example/7", extra={"replies": ["8"]}
    )
    newsroom.chosen = Policy(retraction=Manner.REPLY)
    said = await decide(delivery(Operation.DELETE, revision=9), RETRACTED, PREVIOUS)
    assert said == Choice(Manner.REPLY, Kind.RETRACTION, 0)
    asked = intent("key", Operation.DELETE, RETRACTED, NOON, PREVIOUS, said, {})
    assert (asked.operation, asked.change) == (Operation.EDIT, "retraction")


async def test_a_deletion_needs_no_words(newsroom: Newsroom) -> None:
    found = await newsroom.changes.decide(
        delivery(Operation.DELETE, revision=9), RETRACTED, PREVIOUS
    )
    assert found == Composed({"body": {}, "corrections": 1, MANNER: "delete"}, 9)


async def test_what_is_left_as_it_is_counts_as_told(newsroom: Newsroom) -> None:
    """Or every later small change would be taken for the correction that nobody is to hear of."""
    newsroom.chosen = Policy(correction=Manner.NOTHING, minor=Manner.EDIT)
    left = await newsroom.changes.decide(delivery(channel="mastodon"), article(), PREVIOUS)
    assert isinstance(left, Leave)
    assert left.reason == "left as it is, by the account's policy"
    assert left.result == {
        "remote_id": "7",
        "url": "https://network.example/7",
        "extra": {"replies": ["8"]},
        "corrections": 1,
    }
    then = await newsroom.changes.decide(delivery(channel="mastodon"), article(), left.result)
    assert then == Choice(Manner.EDIT, Kind.MINOR, 1)


async def test_a_person_is_told_what_to_do_and_how_urgent_it_is(newsroom: Newsroom) -> None:
    newsroom.chosen = Policy(correction=Manner.PERSON, retraction=Manner.PERSON)
    for one, found, severity, word in (
        (delivery(), article(), "warning", "Nine."),
        (delivery(Operation.DELETE, revision=9), RETRACTED, "critical", "Not so."),
    ):
        task = await newsroom.changes.decide(one, found, PREVIOUS)
        assert isinstance(task, Task)
        assert word in task.words
        assert "https://network.example/7" in task.words
        assert (task.result["corrections"], task.result["remote_id"]) == (1, "7")
        assert NOTE not in task.result
        assert newsroom.told == []
        await task.announce()
        assert newsroom.told == [(severity, f"task:{one.id}", task.words)]
        assert newsroom.relayed == ["bluesky/main"]
        newsroom.told, newsroom.relayed = [], []


@pytest.mark.parametrize("chosen", [Manner.EDIT, Manner.REPLY, Manner.REPOST, Manner.PERSON])
async def test_a_post_that_only_a_person_saw_is_changed_and_taken_back_by_a_person(
    newsroom: Newsroom, chosen: Manner
) -> None:
    """Its id is not known, so nothing can be called: a retraction must not end there unheard."""
    newsroom.chosen = Policy(correction=chosen)
    seen: Document = {"remote_id": SEEN_BY_A_PERSON, "url": "https://network.example/7"}
    for one, found, act in (
        (delivery(), article(), "tell readers"),
        (delivery(Operation.DELETE, revision=9), RETRACTED, "take back"),
        (delivery(Operation.DELETE), article(status=Status.UNPUBLISHED), "remove"),
    ):
        task = await newsroom.changes.decide(one, found, seen)
        assert isinstance(task, Task)
        assert act in task.words
        assert "https://network.example/7" in task.words
    newsroom.chosen = Policy(correction=Manner.NOTHING)
    assert isinstance(await newsroom.changes.decide(delivery(), article(), seen), Leave)


async def test_a_repost_is_three_acts_in_one_order_and_planned_once(newsroom: Newsroom) -> None:
    newsroom.chosen = Policy(correction=Manner.REPOST)
    first = delivery()
    decided = await newsroom.changes.decide(first, article(), PREVIOUS)
    assert isinstance(decided, Composed)
    # Nothing is said yet: the correction is still to be told, and no revision is out.
    assert (decided.payload["corrections"], decided.revision) == (0, 0)
    posted = posted_of(PREVIOUS)
    assert posted is not None
    armed = delivery(payload=decided.payload)
    kept = await newsroom.changes.repost(armed, posted)
    assert kept[NOTE] == "to be removed and posted again"
    assert (kept["remote_id"], kept["corrections"]) == ("7", 0)
    made = newsroom.plans
    assert [(plan.operation, plan.step) for plan in made] == [
        (Operation.DELETE, 1),
        (Operation.POST, 2),
    ]
    for plan in made:
        assert (plan.intent, plan.publication, plan.revision) == ("1.3", 1, 3)
        assert (plan.acted_at, plan.priority) == (NOON, 0)
        assert (plan.traceparent, plan.expires_at) == ("00-1-1-01", None)
    assert repost_key(made[1].id.replace(":post:", ":edit:")) == made[1].id
    assert newsroom.watched == [made[1].id]
    await newsroom.changes.repost(armed, posted)
    assert [plan.id for plan in made[2:]] == [plan.id for plan in made[:2]]

    # Its steps do not ask the policy any more.
    newsroom.chosen = Policy(correction=Manner.PERSON, retraction=Manner.PERSON)
    room = await newsroom.changes.decide(delivery(Operation.DELETE, step=1), article(), kept)
    assert room == Composed(
        {"body": {}, "corrections": 1, MANNER: "delete", NOTE: "removed, to be posted again"}, 3
    )
    again = frozen(delivery(Operation.POST, step=2), article(), {"text": "t"}, None)
    assert again == Composed({"body": {"text": "t"}, "corrections": 1, NOTE: "posted again"}, 3)


def test_a_channel_may_say_that_its_edit_became_a_reply() -> None:
    """X edits for a while only, and only for some accounts."""
    choice = Choice(Manner.EDIT, Kind.CORRECTION, 0)
    edited = frozen(delivery(channel="x"), article(), {"text": "t"}, choice)
    assert edited.payload == {"body": {"text": "t"}, "corrections": 1, MANNER: "edit"}
    body = {"text": "t", MANNER: "reply"}
    replied = frozen(delivery(channel="x"), article(), body, choice)
    assert replied.payload[NOTE] == "replied with the correction"
    assert way_of(delivery(channel="x", payload=replied.payload)) is Manner.REPLY


@pytest.mark.parametrize(
    ("operation", "channel", "payload", "way", "doubles"),
    [
        (Operation.POST, "mastodon", {"body": {}}, None, True),
        (Operation.EDIT, "mastodon", {MANNER: "edit"}, Manner.EDIT, False),
        (Operation.EDIT, "x", {MANNER: "edit"}, Manner.EDIT, True),
        (Operation.EDIT, "x", {MANNER: "reply"}, Manner.REPLY, True),
        (Operation.EDIT, "mastodon", {MANNER: "repost"}, Manner.REPOST, False),
        (Operation.DELETE, "bluesky", {MANNER: "reply"}, Manner.REPLY, True),
        (Operation.DELETE, "bluesky", {MANNER: "delete"}, Manner.DELETE, False),
        # Armed by a version that froze no manner.
        (Operation.EDIT, "mastodon", {"body": {}}, Manner.EDIT, False),
        (Operation.EDIT, "bluesky", {"body": {}}, Manner.REPLY, True),
        (Operation.DELETE, "bluesky", {"body": {}}, Manner.DELETE, False),
    ],
)
def test_what_is_armed_keeps_its_way(
    operation: Operation, channel: str, payload: Document, way: Manner | None, doubles: bool
) -> None:
    one = delivery(operation, channel, payload=payload)
    assert way_of(one) is way
    assert creates(one) is doubles


def test_a_deleted_post_that_is_still_listed_is_not_taken_for_the_new_one() -> None:
    old, new = Posted(remote_id="7"), Posted(remote_id="9")
    second = delivery(Operation.POST, step=2)
    assert new_post(second, old, new) is new
    assert new_post(delivery(Operation.POST), None, old) is old
    with pytest.raises(OutcomeUnknown):
        new_post(second, old, old)


def test_a_result_remembers_what_was_told_and_what_was_left_out() -> None:
    posted = Posted(remote_id="9", url="https://network.example/9")
    assert NOTE not in remembered(posted, {"body": {}, "corrections": 2})
    body = {LEFT_OUT: "no picture"}
    kept = remembered(posted, {"body": body, "corrections": 2, NOTE: "posted again"})
    assert (kept["corrections"], kept[NOTE]) == (2, "posted again; no picture")
    assert posted_of(kept) == posted
    assert posted_of(None) is None
