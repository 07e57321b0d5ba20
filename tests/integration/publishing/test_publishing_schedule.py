"""Schedules and embargoes: they come true once, at their instant, or say that they did not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.publishing import scheduler
from shared.contracts.articles import ArticleEvent, ArticlePublished
from shared.contracts.outlets import OperatorAlert

pytestmark = pytest.mark.integration


async def scheduled(desk: Any, seconds: float = 60, **body: Any) -> dict[str, Any]:
    made = await desk.article()
    at = desk.clock.now() + timedelta(seconds=seconds)
    return await desk.act(made["id"], "schedule", {"at": at.isoformat(), **body}, match=1)  # type: ignore[no-any-return]


async def test_it_is_published_at_its_instant_and_not_a_millisecond_before(desk: Any) -> None:
    plan = await scheduled(desk)
    assert (plan["status"], plan["scheduled_at"]) == ("scheduled", "2026-11-23T09:31:00.000Z")
    assert plan["local"]["scheduled_at"] == "2026-11-23T09:31:00.000+00:00"
    desk.clock.advance(59.999)
    await desk.fire()
    assert await desk.relayed() == []
    desk.clock.advance(0.001)
    await desk.fire()
    await desk.fire()
    (event,) = await desk.relayed()
    assert isinstance(event.data, ArticlePublished)
    assert event.data.acted_at == event.data.article.published_at == desk.clock.now()
    _, article, _ = await desk.call("GET", f"/api/v1/articles/{plan['id']}")
    assert article["status"] == "published"
    assert "scheduled_at" not in article
    _, audit, _ = await desk.call("GET", f"/api/v1/audit?article={plan['id']}&act=publish")
    (line,) = audit["items"]
    assert (line["by"], line["detail"]["scheduled_by"]) == ("system", desk.people["chief"])


async def test_two_replicas_publish_it_once(start: Callable[[], Awaitable[Any]]) -> None:
    one, other = await start(), await start()
    plans = [await scheduled(one, 5) for _ in range(5)]
    # Both have prepared all of it before the instant.
    await one.fire()
    await other.fire()
    one.clock.advance(5)
    await one.fire()
    await other.fire()
    events = [event for event in await one.relayed() if isinstance(event.data, ArticleEvent)]
    assert sorted(event.subject for event in events) == sorted(plan["id"] for plan in plans)


async def test_what_changed_after_it_was_prepared_goes_out_as_changed(desk: Any) -> None:
    plan = await scheduled(desk, 5)
    await desk.fire()
    path = f"/api/v1/articles/{plan['id']}"
    await desk.call("PATCH", path, {"headline": "Newer"}, match=2)
    desk.clock.advance(5)
    await desk.fire()  # finds that its write was overtaken
    await desk.fire()
    (event,) = await desk.relayed()
    assert event.data.article.headline == "Newer"


async def test_taken_off_the_schedule_it_stays(desk: Any) -> None:
    plan = await scheduled(desk, 5)
    await desk.fire()
    back = await desk.act(plan["id"], "unschedule", match=2)
    assert back["status"] == "draft"
    desk.clock.advance(60)
    await desk.fire()
    assert await desk.relayed() == []


async def test_overdue_it_still_comes_true_with_the_real_time(desk: Any) -> None:
    plan = await scheduled(desk)
    desk.clock.advance(60 + 59 * 60)
    await desk.fire()
    (event,) = await desk.relayed()
    assert event.data.article.published_at == desk.clock.now()
    assert event.subject == plan["id"]


async def test_too_late_it_is_missed_and_an_operator_hears_of_it(desk: Any) -> None:
    plan = await scheduled(desk, lateness_minutes=5)
    desk.clock.advance(60 + 5 * 60 + 0.001)
    await desk.fire()
    await desk.fire()
    (event,) = await desk.relayed()
    assert isinstance(event.data, OperatorAlert)
    assert event.data.article_id == plan["id"]
    _, article, _ = await desk.call("GET", f"/api/v1/articles/{plan['id']}")
    assert article["status"] == "draft"
    assert article["missed"]["due"] == plan["scheduled_at"]
    assert "0:05:00" in article["missed"]["reason"]
    _, found, _ = await desk.call("GET", "/api/v1/articles?missed=true")
    assert [one["id"] for one in found["items"]] == [plan["id"]]
    at = (desk.clock.now() + timedelta(hours=1)).isoformat()
    again = await desk.act(plan["id"], "schedule", {"at": at})
    assert "missed" not in again


async def test_a_clock_that_jumps_past_the_limit_after_preparing_is_a_miss_too(desk: Any) -> None:
    await scheduled(desk, 5)
    await desk.fire()
    desk.clock.advance(3 * 3600)
    await desk.fire()
    await desk.fire()
    (event,) = await desk.relayed()
    assert isinstance(event.data, OperatorAlert)


async def test_a_clock_that_jumps_back_fires_nothing_early_or_twice(desk: Any) -> None:
    await scheduled(desk, 5)
    desk.clock.advance(5)
    await desk.fire()
    desk.clock.advance(-3600)
    await desk.fire()
    await scheduled(desk, 5)
    desk.clock.advance(4)
    await desk.fire()
    assert len(await desk.relayed()) == 1


async def test_publish_under_an_embargo_waits_for_its_end(desk: Any) -> None:
    until = desk.clock.now() + timedelta(minutes=5)
    made = await desk.article(embargo_until=until.isoformat())
    waiting = await desk.act(made["id"], "publish", match=1)
    assert (waiting["status"], waiting["scheduled_at"]) == ("scheduled", made["embargo_until"])
    desk.clock.advance(299.999)
    await desk.fire()
    assert await desk.relayed() == []
    desk.clock.advance(0.001)
    await desk.fire()
    (event,) = await desk.relayed()
    assert event.data.article.published_at == until


async def test_embargo_and_schedule_cannot_contradict_each_other(desk: Any) -> None:
    now = desk.clock.now()
    made = await desk.article(embargo_until=(now + timedelta(hours=1)).isoformat())
    path = f"/api/v1/articles/{made['id']}"
    early = {"at": (now + timedelta(minutes=59)).isoformat()}
    status, problem, _ = await desk.call("POST", f"{path}/schedule", early, match=1)
    assert (status, problem["field"]) == (409, "at")
    late = {"at": (now + timedelta(hours=2)).isoformat()}
    await desk.act(made["id"], "schedule", late, match=1)
    longer = {"embargo_until": (now + timedelta(hours=3)).isoformat()}
    status, problem, _ = await desk.call("PATCH", path, longer, match=2)
    assert (status, problem["field"]) == (409, "embargo_until")
    public = await desk.published()
    status, problem, _ = await desk.call(
        "PATCH", f"/api/v1/articles/{public['id']}", longer, match=2
    )
    assert (status, problem["field"]) == (409, "embargo_until")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "at"),
        ({"at": "2026-11-23T09:30:00Z"}, "at"),
        ({"at": "2026-11-23T10:30:00"}, "at"),
        ({"at": "2037-11-23T09:30:00Z"}, "at"),
        ({"at": "2026-11-24T09:30:00Z", "lateness_minutes": 0}, "lateness_minutes"),
        ({"at": "2026-11-24T09:30:00Z", "who": "x"}, "who"),
    ],
)
async def test_a_wrong_schedule_is_refused_by_name(desk: Any, body: Any, field: str) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}/schedule"
    status, problem, _ = await desk.call("POST", path, body, match=1)
    assert (status, problem["field"]) == (422, field)


async def test_what_is_scheduled_must_stay_publishable(desk: Any) -> None:
    made = await desk.article(body="")
    at = (desk.clock.now() + timedelta(hours=1)).isoformat()
    path = f"/api/v1/articles/{made['id']}"
    status, problem, _ = await desk.call("POST", f"{path}/schedule", {"at": at}, match=1)
    assert (status, problem["field"]) == (422, "body")
    plan = await scheduled(desk)
    path = f"/api/v1/articles/{plan['id']}"
    status, problem, _ = await desk.call("PATCH", path, {"bylines": []}, match=2)
    assert (status, problem["field"]) == (422, "bylines")


async def test_a_crash_between_firing_and_recording_is_made_good(desk: Any) -> None:
    plan = await scheduled(desk, 5)
    desk.clock.advance(5)
    await desk.database["revisions"].delete_many({})
    await desk.fire()
    # As if the process had died before it wrote the lines of the publication.
    await desk.database["audit"].delete_many({"act": "publish"})
    await desk.database["articles"].update_one(
        {"_id": plan["id"]}, {"$set": {"unrecorded_at": desk.clock.now()}}
    )
    desk.clock.advance(6)
    await desk.repair()
    _, audit, _ = await desk.call("GET", f"/api/v1/audit?article={plan['id']}&act=publish")
    assert len(audit["items"]) == 1


async def test_the_calendar_shows_days_of_the_publication(desk: Any) -> None:
    plan = await scheduled(desk, 3600)
    public = await desk.published()
    query = "from=2026-11-23T00:00:00Z&until=2026-11-24T00:00:00Z"
    status, found, _ = await desk.call("GET", f"/api/v1/calendar?{query}")
    assert status == 200
    assert [one["id"] for one in found["items"]] == [public["id"], plan["id"]]
    assert (found["items"][0]["day"], found["complete"]) == ("2026-11-23", True)
    last = "from=9999-12-30T00:00:00Z&until=9999-12-31T00:00:00Z"
    assert (await desk.call("GET", f"/api/v1/calendar?{last}"))[0] == 200
    for wrong, field in (
        ("from=2026-11-23T00:00:00Z", "until"),
        ("from=x&until=2026-11-24T00:00:00Z", "from"),
        ("from=1795392000&until=2026-11-24T00:00:00Z", "from"),
        ("from=2026-11-24T00:00:00Z&until=2026-11-23T00:00:00Z", "until"),
        ("from=2026-01-01T00:00:00Z&until=2026-11-23T00:00:00Z", "until"),
    ):
        status, problem, _ = await desk.call("GET", f"/api/v1/calendar?{wrong}")
        assert (status, problem["field"]) == (422, field)


async def test_an_embargo_for_ever_is_a_slip_of_the_keyboard(desk: Any) -> None:
    made = await desk.article(embargo_until="9998-12-31T23:59:59Z")
    path = f"/api/v1/articles/{made['id']}/publish"
    status, problem, _ = await desk.call("POST", path, match=1)
    assert (status, problem["field"]) == (422, "embargo_until")
    assert (await desk.call("GET", "/api/v1/articles"))[0] == 200


async def test_long_ones_that_wait_keep_no_shorter_schedule_waiting(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "PREPARED_CHARACTERS", 1)
    await scheduled(desk, 8)
    await desk.fire()
    soon = await scheduled(desk, 1)
    desk.clock.advance(1)
    await desk.fire()
    (event,) = await desk.relayed()
    assert event.data.article.id == soon["id"]
