"""What a snapshot asks for: the same plans whichever events were lost, repeated or re-ordered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.domain.planning import Account, plans, skips
from shared.contracts.articles import Article
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import Delivery

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATENESS = timedelta(hours=6)
MAIN = Account("mastodon", "main", NOON - timedelta(days=1))


def article(**changes: Any) -> Article:
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
        "revision": 3,
        "publication": 1,
        "published_at": NOON,
        "updated_at": NOON,
        **changes,
    }
    return Article(**fields)


def posted(state: DeliveryState = DeliveryState.CONFIRMED, **changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": "x",
        "article_id": "a1",
        "outlet": "social/mastodon/main",
        "operation": Operation.POST,
        "intent": "1",
        "thread": "t",
        "publication": 1,
        "revision": 3,
        "acted_at": NOON,
        "priority": 1,
        "state": state,
        "fence": 4,
        "attempts": 1,
        "subject": {},
        **changes,
    }
    return Delivery(**fields)


def wanted(
    snapshot: Article, *existing: Delivery, accounts: Any = (MAIN,)
) -> list[tuple[str, str]]:
    found = plans(snapshot, NOON, accounts, existing, lateness=LATENESS, traceparent=None)
    return [(plan.operation.value, plan.intent) for plan in found]


def test_a_first_publication_is_posted_once_per_account() -> None:
    other = Account("bluesky", "main", NOON - timedelta(days=1))
    found = plans(article(), NOON, (MAIN, other), (), lateness=LATENESS, traceparent=None)
    assert [plan.outlet for plan in found] == ["social/mastodon/main", "social/bluesky/main"]
    assert len({plan.id for plan in found}) == 2
    assert all(plan.expires_at == NOON + LATENESS for plan in found)


def test_the_same_snapshot_again_asks_for_nothing() -> None:
    assert wanted(article(), posted()) == []


def test_a_newer_revision_asks_for_an_edit_and_only_one() -> None:
    assert wanted(article(revision=5), posted()) == [("edit", "1.5")]


@pytest.mark.parametrize("status", ["retracted", "unpublished"])
def test_what_was_posted_is_removed_when_the_article_goes(status: str) -> None:
    assert wanted(article(revision=6, status=status), posted()) == [("delete", "1")]


@pytest.mark.parametrize("state", ["cancelled", "failed", "missed"])
def test_what_was_never_posted_needs_no_removal(state: str) -> None:
    never = posted(DeliveryState(state))
    assert wanted(article(revision=6, status="retracted"), never) == []


def test_an_unknown_post_is_removed_too() -> None:
    assert wanted(article(revision=6, status="retracted"), posted(DeliveryState.UNKNOWN))


def test_an_account_connected_later_never_posts_old_articles() -> None:
    newcomer = Account("mastodon", "main", NOON + timedelta(hours=1))
    assert wanted(article(), accounts=(newcomer,)) == []
    assert wanted(article(revision=9), accounts=(newcomer,)) == []


def test_a_second_publication_is_a_post_of_its_own() -> None:
    never = posted(DeliveryState.CANCELLED)
    assert wanted(article(publication=2, revision=8), never) == [("post", "2")]


@given(
    st.lists(
        st.sampled_from(["social", "social/mastodon", "social/mastodon/main", "site", "email"]),
        max_size=5,
    )
)
def test_skipping_any_level_of_social_skips_the_account(skipped: list[str]) -> None:
    snapshot = article(skip_outlets=tuple(skipped))
    assert skips(snapshot, MAIN) == any(name.startswith("social") for name in skipped)
    assert bool(wanted(snapshot)) != skips(snapshot, MAIN)


def test_the_end_of_a_publication_is_made_up_for_when_the_next_one_was_heard_of_first() -> None:
    assert wanted(article(publication=2, revision=8), posted()) == [("delete", "1"), ("post", "2")]
    again = posted(intent="2", publication=2, revision=8)
    gone = article(publication=2, revision=9, status="retracted")
    found = plans(gone, NOON, (MAIN,), (posted(), again), lateness=LATENESS, traceparent=None)
    assert [(plan.intent, plan.publication) for plan in found] == [("1", 1), ("2", 2)]
    assert len({plan.thread for plan in found}) == 2


def test_an_account_connected_during_a_second_publication_does_not_post_it_at_the_next_update() -> (
    None
):
    other = Account("bluesky", "main", NOON + timedelta(hours=1))
    again = posted(intent="2", publication=2, revision=8)
    later = NOON + timedelta(hours=2)
    snapshot = article(publication=2, revision=9)
    found = plans(snapshot, later, (MAIN, other), (again,), lateness=LATENESS, traceparent=None)
    assert [(plan.outlet, plan.operation.value) for plan in found] == [(MAIN.outlet, "edit")]


def test_what_was_published_elsewhere_is_posted_nowhere_until_it_is_published_here() -> None:
    def asked(**changes: Any) -> list[str]:
        one = article(**changes)
        return [
            plan.intent
            for plan in plans(one, NOON, [MAIN], [], lateness=LATENESS, traceparent=None)
        ]

    assert asked(imported=True) == []
    assert asked(imported=True, status="unpublished") == []
    assert asked(publication=2) == ["2"]
