"""The three limits on guessing, and who is never kept out by a stranger's guesses."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.publishing.domain.throttle import EMAIL, PAIR, PLACE
from services.publishing.settings import PublishingSettings

pytestmark = pytest.mark.integration

PASSWORD = "long enough 1"
ADA = {"email": "ada@news.example", "name": "Ada", "role": "editor", "password": PASSWORD}
OFFICE = "203.0.113.7"


@pytest.fixture
def settings(settings: PublishingSettings, tmp_path: Path) -> PublishingSettings:
    """Behind one proxy of ours, so that a test can call from anywhere."""
    return settings.model_copy(update={"trusted_proxies": 1})


async def _try(desk: Any, place: str, password: str = "wrong password", email: str = "") -> Any:
    body = {"email": email or ADA["email"], "password": password}
    return await desk.call(
        "POST", "/api/v1/sessions", body, role=None, headers={"X-Forwarded-For": place}
    )


async def _ada(desk: Any) -> None:
    assert (await desk.call("POST", "/api/v1/users", ADA, role="admin"))[0] == 201


async def test_one_place_may_not_try_many_people(desk: Any) -> None:
    await _ada(desk)
    tries = [_try(desk, OFFICE, email=f"p{n}@news.example") for n in range(PLACE.tries + 10)]
    answers = await asyncio.gather(*tries)
    assert sorted(one[0] for one in answers) == [401] * PLACE.tries + [429] * 10
    status, _, headers = await _try(desk, OFFICE, PASSWORD)
    assert (status, headers["Retry-After"]) == (429, "900")
    assert (await _try(desk, "203.0.113.8", PASSWORD))[0] == 201
    desk.clock.advance(901)
    assert (await _try(desk, OFFICE, PASSWORD))[0] == 201


async def test_what_was_not_tried_is_not_counted(desk: Any) -> None:
    """Attempts that a full place refuses leave the pair as it was."""
    await _ada(desk)
    await asyncio.gather(*(_try(desk, OFFICE, email=f"p{n}@x.example") for n in range(PLACE.tries)))
    for _ in range(PAIR.tries + 1):
        assert (await _try(desk, OFFICE))[0] == 429
    kept = await desk.database["signins"].find_one({"_id": f"pair {OFFICE} {ADA['email']}"})
    assert kept["attempts"] == []


async def test_many_people_may_sign_in_from_one_office(desk: Any) -> None:
    await _ada(desk)
    for _ in range(PLACE.tries + 5):
        assert (await _try(desk, OFFICE, PASSWORD))[0] == 201


async def test_a_stranger_elsewhere_never_locks_an_editor_out_of_a_known_place(desk: Any) -> None:
    await _ada(desk)
    assert (await _try(desk, OFFICE, PASSWORD))[0] == 201
    places = [f"198.51.100.{n}" for n in range(EMAIL.tries + 5)]
    answers = [(await _try(desk, place))[0] for place in places]
    assert answers == [401] * EMAIL.tries + [429] * 5
    # Elsewhere even the right password waits, and tells nobody that it was right.
    status, _, headers = await _try(desk, "192.0.2.1", PASSWORD)
    assert (status, headers["Retry-After"]) == (429, "3600")
    assert (await _try(desk, OFFICE))[0] == 401
    assert (await _try(desk, OFFICE, PASSWORD))[0] == 201
    desk.clock.advance(3601)
    assert (await _try(desk, "192.0.2.1", PASSWORD))[0] == 201


async def test_a_place_is_known_for_thirty_days(desk: Any) -> None:
    await _ada(desk)
    assert (await _try(desk, OFFICE, PASSWORD))[0] == 201
    for days, expected in ((29, 201), (31, 429)):
        desk.clock.advance(days * 24 * 3600)
        for n in range(EMAIL.tries):
            assert (await _try(desk, f"198.51.100.{n}"))[0] == 401
        assert (await _try(desk, OFFICE, PASSWORD))[0] == expected


async def test_a_failed_sign_in_makes_no_place_known(desk: Any) -> None:
    await _ada(desk)
    await _try(desk, OFFICE)
    assert await desk.database["signin_places"].count({}) == 0


async def test_a_whole_ipv6_household_counts_as_one(desk: Any) -> None:
    await _ada(desk)
    for n in range(PAIR.tries):
        assert (await _try(desk, f"2001:db8:1:2::{n}"))[0] == 401
    assert (await _try(desk, "2001:db8:1:2:ffff::1", PASSWORD))[0] == 429
    assert (await _try(desk, "2001:db8:1:3::1", PASSWORD))[0] == 201


@pytest.mark.parametrize("place", ["é", "\udcff", "x" * 2000, "unknown", "[::1]:80", "1.2.3.4:5"])
async def test_any_address_is_counted_and_stored(desk: Any, place: str) -> None:
    await _ada(desk)
    assert (await _try(desk, place, PASSWORD))[0] in {201, 400}
    for _ in range(PAIR.tries):
        assert (await _try(desk, place))[0] in {401, 400}
    assert (await _try(desk, place))[0] in {429, 400}
