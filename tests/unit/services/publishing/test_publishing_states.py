"""The state table and the acts on it, over every reachable sequence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain import acts, arrangements
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content, CorrectionText
from services.publishing.domain.errors import Conflict, Invalid, WrongStatus
from services.publishing.domain.standing import Schedule, Signed
from services.publishing.domain.states import TABLE, Act, arrival, transition
from shared.contracts.articles import (
    ArticlePublished,
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
    Status,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ORIGIN = "https://news.example"
READY = Content.model_validate(
    {"headline": "H", "body": "B", "section": "city", "bylines": ["Ada"]}
)

NOT_IN_TABLE = {Act.CREATE, Act.IMPORT, Act.UNDELETE, Act.PURGE, Act.RESTORE}
"""Done to no article that is there, or under the rules of another act."""


def draft(content: Content = READY) -> WorkingCopy:
    return WorkingCopy(
        id="a",
        content=content,
        slug="h",
        body_html="<p>B</p>",
        language="en",
        lead_files=(),
        status=Status.DRAFT,
        revision=1,
        publication=0,
        published_at=None,
        updated_at=NOW,
        corrections=(),
        retraction=None,
        redirects=(),
        live=None,
        created_at=NOW,
        created_by="ada",
    )


def perform(act: Act, copy: WorkingCopy, now: datetime) -> acts.Decision:
    match act:
        case Act.EDIT:
            content = copy.content.model_copy(update={"headline": f"H{copy.revision}"})
            return acts.edit(
                copy, now, content, slug=copy.slug, body_html="", language="en", lead_files=()
            )
        case Act.PUBLISH:
            return acts.publish(copy, now, ORIGIN)
        case Act.CORRECT:
            return acts.correct(copy, now, ORIGIN, CorrectionText(text="It was nine."))
        case Act.UNPUBLISH:
            return acts.unpublish(copy, now)
        case Act.RETRACT:
            return acts.retract(copy, now, "Invented.")
        case Act.SUBMIT:
            return arrangements.submit(copy, Signed("ada", "Ada", now))
        case Act.RETURN:
            return arrangements.give_back(copy, Signed("bo", "Bo", now), "Say who said so.")
        case Act.SCHEDULE:
            due = now + timedelta(hours=1)
            plan = Schedule("bo", "Bo", now, due, due + timedelta(hours=1))
            return arrangements.schedule(copy, plan)
        case Act.UNSCHEDULE:
            return arrangements.unschedule(copy, now)
        case Act.MISS:
            transition(act, copy.status)
            return arrangements.miss(copy, now, "Herald was down")
        case Act.ASK_RETRACTION:
            return arrangements.ask_retraction(copy, Signed("chief", "Chief", now), "Invented.")
        case Act.DECLINE_RETRACTION:
            return arrangements.decline_retraction(copy, now)
        case _:
            raise AssertionError(act)


@given(st.lists(st.sampled_from([act for act in Act if act not in NOT_IN_TABLE | {Act.DELETE}])))
def test_every_sequence_of_acts_keeps_the_promises(sequence: list[Act]) -> None:
    copy, now = draft(), NOW
    for act in sequence:
        now += timedelta(seconds=1)
        conflict: Conflict | None = None
        try:
            decision = perform(act, copy, now)
        except WrongStatus:
            assert (act, copy.status) not in TABLE
            continue
        except Conflict as refused:
            conflict = refused
        if conflict is not None:
            asked = copy.standing.retraction_request is not None
            allowed = {
                Act.PUBLISH: ("status", copy.status is Status.PUBLISHED),
                Act.ASK_RETRACTION: ("retraction_request", asked),
                Act.DECLINE_RETRACTION: ("retraction_request", not asked),
            }
            assert (conflict.field, True) == allowed[act]
            continue
        step, after = TABLE[act, copy.status], decision.after
        assert after.revision == copy.revision + 1
        assert after.status is arrival(step, copy.publication)
        assert (after.status is Status.DRAFT) <= (after.publication == 0)
        assert (after.status is Status.SCHEDULED) == (after.standing.schedule is not None)
        assert decision.act is act
        assert after.publication - copy.publication == (step.event is ArticlePublished)
        assert copy.published_at in {None, after.published_at}
        assert (after.published_at is None) == (after.publication == 0)
        assert after.corrections[: len(copy.corrections)] == copy.corrections
        if decision.event is None:
            assert step.event is None
            assert after.live == copy.live
        else:
            assert type(decision.event) is step.event
            assert decision.event.article == after.live
            assert decision.event.article.revision == after.revision
            assert decision.event.article.status is after.status
            assert decision.event.acted_at == now
        copy = after


def test_nothing_leads_out_of_retracted() -> None:
    for act in Act:
        with pytest.raises(WrongStatus) as caught:
            transition(act, Status.RETRACTED)
        assert caught.value.status is Status.RETRACTED


def test_the_table_tells_the_world_of_what_the_world_can_see() -> None:
    events = {
        (act.value, status.value): step.event.TYPE
        for (act, status), step in TABLE.items()
        if step.event
    }
    assert events == {
        ("publish", "draft"): ArticlePublished.TYPE,
        ("publish", "in_review"): ArticlePublished.TYPE,
        ("publish", "scheduled"): ArticlePublished.TYPE,
        ("publish", "unpublished"): ArticlePublished.TYPE,
        ("publish", "published"): ArticleUpdated.TYPE,
        ("correct", "published"): ArticleUpdated.TYPE,
        ("unpublish", "published"): ArticleUnpublished.TYPE,
        ("retract", "published"): ArticleRetracted.TYPE,
        ("retract", "unpublished"): ArticleRetracted.TYPE,
    }


@pytest.mark.parametrize("field", ["headline", "body", "section", "bylines"])
def test_what_is_missing_is_named(field: str) -> None:
    copy = draft(READY.model_copy(update={field: type(getattr(READY, field))()}))
    with pytest.raises(Invalid) as caught:
        acts.publish(copy, NOW, ORIGIN)
    assert list(caught.value.fields) == [field]


def test_an_embargo_ends_at_its_moment() -> None:
    copy = draft(READY.model_copy(update={"embargo_until": NOW}))
    with pytest.raises(Conflict) as caught:
        acts.publish(copy, NOW - timedelta(milliseconds=1), ORIGIN)
    assert caught.value.field == "embargo_until"
    assert acts.publish(copy, NOW, ORIGIN).after.status is Status.PUBLISHED


def test_what_is_withdrawn_is_what_was_public() -> None:
    public = acts.publish(draft(), NOW, ORIGIN).after
    edited = perform(Act.EDIT, public, NOW).after
    for act in (Act.UNPUBLISH, Act.RETRACT):
        decision = perform(act, edited, NOW)
        assert decision.event is not None
        assert decision.event.article.headline == "H"
        assert decision.after.content.headline == "H2"
