"""What each documented error of Instagram's Graph API becomes, and how usage in percent becomes a budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.channels.instagram.answers import failure
from services.social.channels.meta import budget, gone, words
from services.social.channels.transport import Answer
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NAMES = st.sampled_from(
    ["call_count", "total_time", "estimated_time_to_regain_access", "code", "error_subcode", "1"]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


def answer(status: int = 400, headers: dict[str, str] | None = None, **error: Any) -> Answer:
    return Answer(status, headers or {}, {"error": error} if error else None, "")


@pytest.mark.parametrize(
    ("code", "subcode", "outcome", "seconds", "whole"),
    [
        (1, 0, OutcomeUnknown, None, False),
        (2, 0, OutcomeUnknown, None, False),
        (4, 2_207_051, OutcomeUnknown, None, False),
        (4, 0, TryAgain, 900, True),
        (80_002, 0, TryAgain, 900, True),
        (4, 2_207_042, TryAgain, 3600, True),
        (24, 2_207_008, TryAgain, 1, False),
        (24, 2_207_020, TryAgain, 1, False),
        (9007, 2_207_027, TryAgain, 5, False),
        (-2, 2_207_003, TryAgain, 60, False),
        (9004, 2_207_052, TryAgain, 60, False),
        (9004, 2_207_053, TryAgain, 60, False),
        (190, 463, AuthDead, None, False),
        (25, 2_207_050, AuthDead, None, False),
        (10, 0, AuthDead, None, False),
        (200, 0, AuthDead, None, False),
        (-1, 2_207_001, GiveUp, None, False),
        (-2, 2_207_004, GiveUp, None, False),
        (9004, 2_207_005, GiveUp, None, False),
        (24, 2_207_006, GiveUp, None, False),
        (36_003, 2_207_009, GiveUp, None, False),
        (100, 2_207_010, GiveUp, None, False),
    ],
)
def test_each_code_of_a_post_has_one_outcome(
    code: int, subcode: int, outcome: type[DeliveryError], seconds: float | None, whole: bool
) -> None:
    caught = failure(answer(code=code, error_subcode=subcode), mutation=True)
    assert type(caught) is outcome
    if isinstance(caught, TryAgain):
        assert (caught.after, caught.whole_account) == (seconds, whole)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, OutcomeUnknown), (503, OutcomeUnknown), (401, AuthDead), (429, TryAgain), (404, GiveUp)],
)
def test_an_answer_without_a_code_goes_by_its_status(
    status: int, outcome: type[DeliveryError]
) -> None:
    assert type(failure(answer(status), mutation=True)) is outcome


def test_what_is_unknown_of_a_post_is_tried_again_on_a_read() -> None:
    for error in ({"code": 2}, {"code": 4, "error_subcode": 2_207_051}, {"is_transient": True}):
        assert type(failure(answer(500, **error), mutation=False)) is TryAgain


@pytest.mark.parametrize("code", [10, 200, 299])
def test_a_permission_that_only_comments_need_says_nothing_of_the_account(code: int) -> None:
    assert type(failure(answer(code=code), mutation=True, one_post=True)) is GiveUp
    assert type(failure(answer(code=190), mutation=True, one_post=True)) is AuthDead


def test_absent_objects_are_known_and_words_are_for_people() -> None:
    assert gone(answer(code=100, error_subcode=33))
    assert not gone(answer(code=100))
    assert words(answer(code=36_003, message="Bad.", error_user_msg="Too flat.")) == (
        "error 36003: Too flat."
    )
    assert words(answer(502)) == "HTTP 502"


def test_budget_is_the_highest_percentage_with_the_estimated_wait() -> None:
    case = {"call_count": 100, "estimated_time_to_regain_access": 7}
    headers = {
        "x-app-usage": '{"call_count":28,"total_cputime":25,"total_time":30}',
        "x-business-use-case-usage": orjson.dumps({"1": [case]}).decode(),
    }
    left = budget(answer(200, headers), NOW)
    assert left is not None
    assert (left.limit, left.remaining) == (100, 0)
    assert left.resets_at == NOW + timedelta(minutes=7)
    assert budget(answer(200), NOW) is None


@given(JSON, JSON, JSON)
def test_no_answer_whatever_breaks_the_sorting(app: Any, case: Any, error: Any) -> None:
    headers = {
        "x-app-usage": orjson.dumps(app).decode(),
        "x-business-use-case-usage": orjson.dumps(case).decode(),
    }
    told = Answer(400, headers, {"error": error}, "")
    left = budget(told, NOW)
    assert left is None or 0 <= left.remaining <= 100
    assert isinstance(failure(told, mutation=True), DeliveryError)
