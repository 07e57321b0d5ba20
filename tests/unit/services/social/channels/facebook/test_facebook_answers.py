"""What each documented error of the Graph API becomes, and how usage in percent becomes a budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.social.channels.facebook.answers import duplicate, failure
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
    body = {"error": error} if error else None
    return Answer(status, headers or {}, body, "")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ({"code": 1}, OutcomeUnknown),
        ({"code": 2}, OutcomeUnknown),
        ({"code": 100, "is_transient": True}, OutcomeUnknown),
        ({"code": 4}, TryAgain),
        ({"code": 17}, TryAgain),
        ({"code": 32}, TryAgain),
        ({"code": 341}, TryAgain),
        ({"code": 613}, TryAgain),
        ({"code": 80_001}, TryAgain),
        ({"code": 80_014}, TryAgain),
        ({"code": 368, "error_subcode": 1_390_008}, TryAgain),
        ({"code": 100, "error_subcode": 1_609_005}, TryAgain),
        ({"code": 190, "error_subcode": 463}, AuthDead),
        ({"code": 102}, AuthDead),
        ({"code": 10}, AuthDead),
        ({"code": 200}, AuthDead),
        ({"code": 299}, AuthDead),
        ({"code": 100}, GiveUp),
        ({"code": 324}, GiveUp),
        ({"code": 300}, GiveUp),
        ({"code": "odd"}, GiveUp),
    ],
)
def test_each_code_of_a_post_has_one_outcome(
    error: dict[str, Any], outcome: type[DeliveryError]
) -> None:
    assert type(failure(answer(**error), mutation=True)) is outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, OutcomeUnknown), (503, OutcomeUnknown), (401, AuthDead), (429, TryAgain), (404, GiveUp)],
)
def test_an_answer_without_a_code_goes_by_its_status(
    status: int, outcome: type[DeliveryError]
) -> None:
    assert type(failure(answer(status), mutation=True)) is outcome


@pytest.mark.parametrize("error", [{"code": 1}, {"code": 2}, {"code": 9, "is_transient": True}])
def test_what_is_unknown_of_a_post_is_tried_again_on_a_read(error: dict[str, Any]) -> None:
    assert type(failure(answer(500, **error), mutation=False)) is TryAgain


@pytest.mark.parametrize("code", [10, 200, 299])
def test_a_refused_edit_says_nothing_of_the_account(code: int) -> None:
    assert type(failure(answer(code=code), mutation=True, one_post=True)) is GiveUp
    assert type(failure(answer(code=190), mutation=True, one_post=True)) is AuthDead


@pytest.mark.parametrize(
    ("error", "headers", "seconds"),
    [
        ({"code": 4}, {}, 900),
        (
            {"code": 32},
            {"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":7}]}'},
            420,
        ),
        ({"code": 368}, {}, 7200),
    ],
)
def test_a_throttled_account_waits_as_long_as_the_network_estimates(
    error: dict[str, Any], headers: dict[str, str], seconds: float
) -> None:
    caught = failure(answer(400, headers, **error), mutation=True)
    assert isinstance(caught, TryAgain)
    assert (caught.after, caught.whole_account) == (seconds, True)


def test_repetitions_and_absent_objects_are_known() -> None:
    assert duplicate(answer(code=506))
    assert duplicate(answer(code=100, error_subcode=1_366_051))
    assert gone(answer(code=100, error_subcode=33))
    assert not gone(answer(code=100))
    assert not duplicate(answer(code=100))


def test_words_for_people_come_first() -> None:
    said = answer(code=100, error_subcode=5, message="(#100) x", error_user_msg="Too long.")
    assert words(said) == "error 100/5: Too long."
    assert words(answer(502)) == "HTTP 502"


def test_budget_is_the_highest_percentage_that_is_told() -> None:
    headers = {
        "x-app-usage": '{"call_count":28,"total_cputime":25,"total_time":30}',
        "x-business-use-case-usage": orjson.dumps(
            {"1": [{"call_count": 12, "total_time": 95, "estimated_time_to_regain_access": 0}]}
        ).decode(),
    }
    left = budget(answer(200, headers), NOW)
    assert left is not None
    assert (left.limit, left.remaining) == (100, 5)
    assert left.resets_at == NOW + timedelta(minutes=15)


def test_a_time_before_now_is_no_time_to_wait() -> None:
    told = [{"call_count": 1, "estimated_time_to_regain_access": -(10**11)}]
    headers = {"x-business-use-case-usage": orjson.dumps({"1": told}).decode()}
    left = budget(answer(200, headers), NOW)
    assert left is not None
    assert left.resets_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize("told", ["", "no json", "[]", "{}", "7", "null"])
def test_a_header_that_says_nothing_is_no_budget(told: str) -> None:
    assert budget(answer(200, {"x-app-usage": told}), NOW) is None


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
