"""What each network could do about each kind of change, what is done unless chosen, and what a choice comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.social.channels import discover
from services.social.channels.base import Capabilities
from services.social.domain.policy import (
    Choice,
    Kind,
    Manner,
    Policy,
    choices,
    choose,
    default,
    manner,
    on_the_board,
    refusals,
    to_do,
)
from shared.contracts.articles import Article, Correction, Retraction, Status
from shared.contracts.outlets import Operation

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINOR, CORRECTION, RETRACTION = Kind.MINOR, Kind.CORRECTION, Kind.RETRACTION
EDIT, REPLY, REPOST = Manner.EDIT, Manner.REPLY, Manner.REPOST
DELETE, PERSON, NOTHING = Manner.DELETE, Manner.PERSON, Manner.NOTHING

BARE = Capabilities(edit=False, delete=False, alt_text=True, idempotent=False, lookup=False)
EDITS = replace(BARE, edit=True, delete=True)
REPLIES = replace(BARE, reply=True, delete=True)
VERSIONS = replace(REPLIES, versions=True)
NO_REPOST = replace(EDITS, repost=False)
ONLY_DELETES = replace(BARE, delete=True)

OFFERED: list[tuple[Capabilities, Kind, tuple[Manner, ...]]] = [
    (EDITS, MINOR, (EDIT, REPOST, PERSON, NOTHING)),
    (EDITS, CORRECTION, (EDIT, REPOST, PERSON, NOTHING)),
    (EDITS, RETRACTION, (DELETE, PERSON)),
    (NO_REPOST, MINOR, (EDIT, PERSON, NOTHING)),
    (NO_REPOST, CORRECTION, (EDIT, PERSON, NOTHING)),
    (NO_REPOST, RETRACTION, (DELETE, PERSON)),
    (REPLIES, MINOR, (NOTHING, REPOST, PERSON)),
    (REPLIES, CORRECTION, (REPLY, REPOST, PERSON, NOTHING)),
    (REPLIES, RETRACTION, (DELETE, REPLY, PERSON)),
    (VERSIONS, MINOR, (EDIT, REPOST, PERSON, NOTHING)),
    (VERSIONS, CORRECTION, (EDIT, REPLY, REPOST, PERSON, NOTHING)),
    (VERSIONS, RETRACTION, (DELETE, REPLY, PERSON)),
    (ONLY_DELETES, MINOR, (NOTHING, REPOST, PERSON)),
    (ONLY_DELETES, CORRECTION, (PERSON, REPOST, NOTHING)),
    (ONLY_DELETES, RETRACTION, (DELETE, PERSON)),
    (BARE, MINOR, (NOTHING, PERSON)),
    (BARE, CORRECTION, (PERSON, NOTHING)),
    (BARE, RETRACTION, (PERSON,)),
]
"""A network, a kind of change, and what can be chosen: the default first."""


@pytest.mark.parametrize(("able", "kind", "offered"), OFFERED)
def test_the_table_of_acts(able: Capabilities, kind: Kind, offered: tuple[Manner, ...]) -> None:
    """Each choice is kept where the network can, refused by name and left to the default where it cannot."""
    assert set(choices(able, kind)) == set(offered)
    assert default(able, kind) is manner(Policy(), able, kind) is offered[0]
    for way in Manner:
        chosen = Policy(**{kind.value: way})
        refused = refusals(chosen, able, "The network")
        if way in offered:
            assert manner(chosen, able, kind) is way
            assert refused == {}
        else:
            assert manner(chosen, able, kind) is offered[0]
            assert list(refused) == [kind]
            assert way.value in refused[kind]
            assert all(other.value in refused[kind] for other in offered)


@given(
    st.builds(
        Capabilities,
        edit=st.booleans(),
        delete=st.booleans(),
        alt_text=st.booleans(),
        idempotent=st.booleans(),
        lookup=st.booleans(),
        reply=st.booleans(),
        repost=st.booleans(),
        versions=st.booleans(),
    ),
    st.sampled_from(Kind),
)
def test_a_person_can_always_be_asked_and_no_retraction_is_left_alone(
    able: Capabilities, kind: Kind
) -> None:
    offered = choices(able, kind)
    assert PERSON in offered
    assert default(able, kind) in offered
    assert (NOTHING in offered) is (kind is not RETRACTION)


def test_what_each_network_does_unless_told_otherwise() -> None:
    """Posts are put right where readers see it, else it is said below them; retracted ones go."""
    found = {
        name: tuple(default(spec.capabilities, kind).value for kind in Kind)
        for name, spec in discover().items()
    }
    edits = ("edit", "edit", "delete")
    replies = ("nothing", "reply", "delete")
    for name in ("mastodon", "telegram", "discord", "slack", "facebook", "linkedin", "x"):
        assert found[name] == edits, name
    for name in ("bluesky", "threads", "instagram"):
        assert found[name] == replies, name


def test_a_policy_takes_no_kind_and_no_manner_that_it_does_not_know() -> None:
    for wrong in ({"typo": "edit"}, {"minor": "shout"}, {"minor": 1}, {"correction": ["edit"]}):
        with pytest.raises(ValidationError):
            Policy.model_validate(wrong)


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
        **changes,
    }
    return Article(**fields)


def said(*texts: str) -> tuple[Correction, ...]:
    return tuple(Correction(at=NOON, kind="correction", text=text) for text in texts)


def chosen(
    operation: Operation,
    found: Article,
    policy: Policy,
    able: Capabilities,
    *,
    told: int = 0,
    publication: int = 1,
) -> Choice:
    return choose(operation, publication, found, {"corrections": told}, policy, able)


def test_what_readers_were_not_told_makes_an_edit_a_correction() -> None:
    policy = Policy(minor=PERSON, correction=REPOST)
    once = article(corrections=said("Nine, not ten."))
    assert chosen(Operation.EDIT, once, policy, EDITS) == Choice(REPOST, CORRECTION, 0)
    assert chosen(Operation.EDIT, once, policy, EDITS, told=1) == Choice(PERSON, MINOR, 1)
    assert choose(Operation.EDIT, 1, once, None, policy, EDITS) == Choice(REPOST, CORRECTION, 0)


def test_a_retraction_is_done_as_chosen_and_an_unpublished_article_is_never_announced() -> None:
    retracted = article(status=Status.RETRACTED, retraction=Retraction(at=NOON, reason="Not so."))
    unpublished = article(status=Status.UNPUBLISHED)
    published_again = article(publication=2)
    for policy, able, loud, quiet in (
        (Policy(), REPLIES, DELETE, DELETE),
        (Policy(retraction=REPLY), REPLIES, REPLY, DELETE),
        (Policy(retraction=REPLY), replace(BARE, reply=True), REPLY, PERSON),
        (Policy(retraction=PERSON), REPLIES, PERSON, PERSON),
        (Policy(), BARE, PERSON, PERSON),
    ):
        announced = chosen(Operation.DELETE, retracted, policy, able)
        assert announced == Choice(loud, RETRACTION, 0)
        for still in (unpublished, published_again):
            assert chosen(Operation.DELETE, still, policy, able) == Choice(quiet, None, 0)
        # A retraction of the second publication says nothing below the post of the first.
        second = retracted.model_copy(update={"publication": 2})
        assert chosen(Operation.DELETE, second, policy, able) == Choice(quiet, None, 0)


def test_a_person_reads_what_to_do_where_and_why() -> None:
    url = "https://network.example/1"
    found = article(corrections=said("Known.", "Nine, not ten.", "  ", "From the south."))
    words = to_do(Choice(PERSON, CORRECTION, 1), found, url)
    assert words == (
        "for a person: tell readers of the post (https://network.example/1) of the correction: "
        "Nine, not ten. / From the south."
    )
    gone = article(status=Status.RETRACTED, retraction=Retraction(at=NOON, reason="Not so."))
    assert to_do(Choice(PERSON, RETRACTION, 0), gone, None) == (
        "for a person: take back the post, the article is retracted: Not so."
    )
    for kind in (MINOR, CORRECTION, RETRACTION, None):
        words = to_do(Choice(PERSON, kind, 0), article(), url)
        assert words.startswith("for a person: ")
        assert words.endswith(": The ferry sails"), "where there are no words, the headline says it"
        assert url in words


def test_the_board_says_only_what_its_operation_does_not() -> None:
    assert on_the_board(REPLY, CORRECTION) == "replied with the correction"
    assert on_the_board(REPLY, RETRACTION) == "replied with the retraction"
    assert on_the_board(REPOST, MINOR) == "to be removed and posted again"
    assert on_the_board(NOTHING, MINOR) == "left as it is, by the account's policy"
    assert on_the_board(EDIT, CORRECTION) is None
    assert on_the_board(DELETE, RETRACTION) is None
