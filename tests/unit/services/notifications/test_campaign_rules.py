"""Which mails a snapshot asks for, whatever events were lost or repeated, and what deliveries add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.campaigns import Campaign, Decision, Kind, tallied, wanted
from shared.contracts.articles import Article, Correction, Retraction, Status
from shared.contracts.outlets import DeliveryState

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SIX_HOURS = timedelta(hours=6)
MakeArticle = Callable[..., Article]


def _corrections(count: int) -> tuple[Correction, ...]:
    return tuple(Correction(at=NOW, kind="correction", text=f"No. {n}") for n in range(count))


@pytest.fixture
def fresh(article: MakeArticle) -> MakeArticle:
    def made(**changed: object) -> Article:
        fields = {
            "status": Status.PUBLISHED,
            "publication": 1,
            "revision": 1,
            "published_at": NOW,
            "corrections": (),
            "skip_outlets": (),
        }
        return article(**{**fields, **changed})

    return made


def _wanted(article: Article, existing: Sequence[Campaign] = ()) -> list[Campaign]:
    return wanted(article, NOW, existing, NOW, SIX_HOURS)


def _ids(campaigns: Sequence[Campaign]) -> list[tuple[Kind, int, Decision]]:
    return [(one.kind, one.number, one.decision) for one in campaigns]


def test_the_first_snapshot_is_an_alert_and_the_same_again_is_nothing(fresh: MakeArticle) -> None:
    found = _wanted(fresh())
    assert _ids(found) == [(Kind.ALERT, 1, Decision.SEND)]
    assert _wanted(fresh(), found) == []
    assert _wanted(fresh(revision=2, headline="Changed a little"), found) == []


def test_each_new_correction_is_one_notice(fresh: MakeArticle) -> None:
    alert = _wanted(fresh())
    first = _wanted(fresh(revision=2, corrections=_corrections(1)), alert)
    assert _ids(first) == [(Kind.CORRECTION, 1, Decision.SEND)]
    # The event with the second one was lost; the third one's snapshot heals it.
    rest = _wanted(fresh(revision=4, corrections=_corrections(3)), [*alert, *first])
    assert [one.number for one in rest] == [2, 3]


def test_what_the_alert_already_says_is_not_corrected_again(fresh: MakeArticle) -> None:
    alert = _wanted(fresh(revision=3, corrections=_corrections(2)))
    assert _ids(alert) == [(Kind.ALERT, 1, Decision.SEND)]
    assert _wanted(fresh(revision=3, corrections=_corrections(2)), alert) == []


def test_a_lost_publication_still_alerts_from_a_later_snapshot(fresh: MakeArticle) -> None:
    assert _ids(_wanted(fresh(revision=7))) == [(Kind.ALERT, 1, Decision.SEND)]


def test_a_retraction_is_one_notice_and_only_where_an_alert_was_meant(fresh: MakeArticle) -> None:
    gone = fresh(
        revision=3, status=Status.RETRACTED, retraction=Retraction(at=NOW, reason="Not so.")
    )
    assert _wanted(gone) == []
    alert = _wanted(fresh())
    notice = _wanted(gone, alert)
    assert _ids(notice) == [(Kind.RETRACTION, 1, Decision.SEND)]
    assert _wanted(gone, [*alert, *notice]) == []
    skipped = [replace(alert[0], decision=Decision.SKIPPED)]
    assert _wanted(gone, skipped) == []


def test_an_article_that_is_too_old_is_missed_for_good(fresh: MakeArticle) -> None:
    old = fresh(published_at=NOW - timedelta(hours=6, seconds=1))
    found = _wanted(old)
    assert _ids(found) == [(Kind.ALERT, 1, Decision.MISSED)]
    line = found[0].line()
    assert line is not None
    assert line.state is DeliveryState.MISSED
    assert _wanted(fresh(revision=2, corrections=_corrections(1)), found) == []


def test_an_editor_may_leave_mail_out_and_the_board_says_nothing(fresh: MakeArticle) -> None:
    found = _wanted(fresh(skip_outlets=("email",)))
    assert _ids(found) == [(Kind.ALERT, 1, Decision.SKIPPED)]
    assert found[0].line() is None
    assert _wanted(fresh(revision=2), found) == []


def test_a_second_publication_alerts_again_and_counts_from_its_own_act(fresh: MakeArticle) -> None:
    alert = _wanted(fresh())
    again = fresh(revision=5, publication=2, published_at=NOW - timedelta(days=3))
    found = _wanted(again, alert)
    assert _ids(found) == [(Kind.ALERT, 2, Decision.SEND)]
    assert found[0].cut_at == NOW


def test_a_quiet_withdrawal_mails_nobody(fresh: MakeArticle) -> None:
    alert = _wanted(fresh())
    assert _wanted(fresh(revision=2, status=Status.UNPUBLISHED), alert) == []


States = st.dictionaries(st.sampled_from(DeliveryState), st.integers(0, 5))


@given(States)
def test_a_sum_never_hides_what_is_open_or_unknown(counts: dict[DeliveryState, int]) -> None:
    tally = tallied(counts, 12)
    present = {state for state, count in counts.items() if count}
    assert tally.recipients == sum(counts.values())
    open_states = {
        state for state in present if not state.final and state is not DeliveryState.UNKNOWN
    }
    if open_states:
        assert tally.state is DeliveryState.WAITING
    elif DeliveryState.UNKNOWN in present:
        assert tally.state is DeliveryState.UNKNOWN
    elif not present:
        assert tally.state is DeliveryState.CONFIRMED
    elif len(present) == 1:
        assert tally.state in present
    else:
        assert tally.state is (
            DeliveryState.CONFIRMED if DeliveryState.CONFIRMED in present else DeliveryState.FAILED
        )
        assert tally.reason is not None
        assert all(state.value in tally.reason for state in present)


def test_of_what_was_published_elsewhere_nobody_hears(fresh: MakeArticle) -> None:
    assert _wanted(fresh(imported=True)) == []
    assert _wanted(fresh(imported=True, revision=2, corrections=_corrections(1))) == []
    retraction = Retraction(at=NOW, reason="It was not so.")
    assert _wanted(fresh(imported=True, status=Status.RETRACTED, retraction=retraction)) == []
    again = _wanted(fresh(publication=2, revision=4))
    assert _ids(again)[0][:2] == (Kind.ALERT, 2)
