"""The edit lock: one holder at a time, found out by heartbeat, taken over in the open, in nobody's way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.identity import Role

pytestmark = pytest.mark.integration


async def _beat(
    desk: Any, article: Any, session: str = "tab", role: str = "editor", **more: Any
) -> Any:
    path = f"/api/v1/articles/{article['id']}/lock"
    return (await desk.call("PUT", path, {"session": session, **more}, role=role))[:2]


async def _seen(desk: Any, article: Any, role: str = "editor", query: str = "") -> Any:
    status, lock, _ = await desk.call(
        "GET", f"/api/v1/articles/{article['id']}/lock{query}", role=role
    )
    assert status == 200, lock
    return lock


async def _leave(desk: Any, article: Any, session: str = "tab", role: str = "editor") -> None:
    path = f"/api/v1/articles/{article['id']}/lock?session={session}"
    assert (await desk.call("DELETE", path, role=role))[0] == 204


async def test_a_lock_is_acquired_renewed_and_released(desk: Any) -> None:
    article = await desk.article()
    assert await _seen(desk, article) == {"held": False, "yours": False}
    status, lock = await _beat(desk, article)
    assert (status, lock) == (
        200,
        {
            "held": True,
            "held_by": desk.people["editor"],
            "held_by_name": "Editor",
            "session": "tab",
            "since": "2026-11-23T09:30:00.000Z",
            "expires_at": "2026-11-23T09:31:00.000Z",
            "yours": True,
        },
    )
    desk.clock.advance(20)
    status, lock = await _beat(desk, article)
    assert (status, lock["since"]) == (200, "2026-11-23T09:30:00.000Z")
    assert lock["expires_at"] == "2026-11-23T09:31:20.000Z"
    other = await _seen(desk, article, "chief")
    assert (other["held_by_name"], other["yours"], "session" in other) == ("Editor", False, False)
    assert (await _seen(desk, article))["yours"] is True
    assert (await _seen(desk, article, query="?session=tab"))["yours"] is True
    assert (await _seen(desk, article, query="?session=other"))["yours"] is False
    await _leave(desk, article, "other")
    await _leave(desk, article, role="chief")
    assert (await _seen(desk, article))["held"] is True
    await _leave(desk, article)
    await _leave(desk, article)
    assert await _seen(desk, article) == {"held": False, "yours": False}
    assert (await _beat(desk, article, role="chief"))[0] == 200


async def test_somebody_elses_lock_is_named(desk: Any) -> None:
    article = await desk.article()
    await _beat(desk, article)
    desk.clock.advance(10)
    for session, role in (("theirs", "chief"), ("second-tab", "editor")):
        status, problem = await _beat(desk, article, session, role)
        assert (status, problem["field"]) == (409, "lock")
        assert (problem["held_by"], problem["held_by_name"]) == (desk.people["editor"], "Editor")
        assert problem["since"] == "2026-11-23T09:30:00.000Z"
        assert problem["expires_at"] == "2026-11-23T09:31:00.000Z"
        assert "taken_over" not in problem


async def test_a_lock_without_heartbeat_is_over_by_our_clock(desk: Any) -> None:
    article = await desk.article()
    await _beat(desk, article)
    desk.clock.advance(59.999)
    assert (await _beat(desk, article, role="chief"))[0] == 409
    assert (await _seen(desk, article))["held"] is True
    desk.clock.advance(0.001)
    assert await _seen(desk, article) == {"held": False, "yours": False}
    status, lock = await _beat(desk, article, role="chief")
    assert (status, lock["since"]) == (200, "2026-11-23T09:31:00.000Z")
    # Late, its first holder finds another; nothing was taken from them, it had run out.
    status, problem = await _beat(desk, article)
    assert (status, problem["held_by_name"], "taken_over" in problem) == (409, "Chief", False)


async def test_of_twenty_at_once_one_gets_it(desk: Any, start: Any) -> None:
    article, other = await desk.article(), await start()
    other.tokens = desk.tokens
    for _ in range(3):
        answers = await asyncio.gather(
            *(_beat((desk, other)[n % 2], article, f"tab-{n}") for n in range(20))
        )
        assert sorted(status for status, _ in answers) == [200] + [409] * 19
        (winner,) = [answer["session"] for status, answer in answers if status == 200]
        (stored,) = await desk.database["locks"].find({})
        assert stored["holder"]["session"] == winner
        desk.clock.advance(60)


async def test_of_twenty_who_take_over_at_once_each_knows_where_they_stand(desk: Any) -> None:
    article = await desk.article()
    await _beat(desk, article, "first")
    answers = await asyncio.gather(
        *(_beat(desk, article, f"tab-{n}", take_over=True) for n in range(20))
    )
    assert {status for status, _ in answers} == {200}
    beats = await asyncio.gather(*(_beat(desk, article, f"tab-{n}") for n in range(20)))
    assert sorted(status for status, _ in beats) == [200] + [409] * 19
    # Each took it from exactly one other.
    assert await desk.database["audit"].count({"act": "lock.take_over"}) == 20


async def test_who_loses_it_is_told_by_whom_and_when(desk: Any) -> None:
    article = await desk.article()
    await _beat(desk, article, "hers")
    desk.clock.advance(10)
    status, lock = await _beat(desk, article, "his", "chief", take_over=True)
    assert (status, lock["since"]) == (200, "2026-11-23T09:30:10.000Z")
    _, log, _ = await desk.call("GET", f"/api/v1/audit?article={article['id']}&act=lock.take_over")
    (line,) = log["items"]
    assert (line["by_name"], line["detail"]) == (
        "Chief",
        {"from": desk.people["editor"], "from_name": "Editor"},
    )
    desk.clock.advance(10)
    status, problem = await _beat(desk, article, "hers")
    assert (status, problem["held_by_name"]) == (409, "Chief")
    assert problem["taken_over"] == {
        "by": desk.people["chief"],
        "by_name": "Chief",
        "at": "2026-11-23T09:30:10.000Z",
    }
    status, problem = await _beat(desk, article, "hers")
    assert (status, problem["held_by_name"]) == (409, "Chief")
    assert (await _beat(desk, article, "his", "chief"))[0] == 200


async def test_who_loses_it_is_told_even_when_it_is_free_again(desk: Any) -> None:
    article = await desk.article()
    await _beat(desk, article, "hers")
    await _beat(desk, article, "his", "chief", take_over=True)
    await _leave(desk, article, "his", "chief")
    assert (await _seen(desk, article))["held"] is False
    status, problem = await _beat(desk, article, "hers")
    assert (status, problem["taken_over"]["by_name"]) == (409, "Chief")
    assert (await _beat(desk, article, "hers"))[0] == 200


async def test_it_can_be_taken_back(desk: Any) -> None:
    article = await desk.article()
    await _beat(desk, article, "hers")
    await _beat(desk, article, "his", "chief", take_over=True)
    assert (await _beat(desk, article, "hers", take_over=True))[0] == 200
    assert (await _beat(desk, article, "hers"))[0] == 200
    status, problem = await _beat(desk, article, "his", "chief")
    assert (status, problem["taken_over"]["by_name"]) == (409, "Editor")
    assert await desk.database["audit"].count({"act": "lock.take_over"}) == 2


async def test_taking_over_what_nobody_holds_or_is_ones_own_takes_it_from_nobody(desk: Any) -> None:
    article = await desk.article()
    for _ in range(2):
        assert (await _beat(desk, article, take_over=True))[0] == 200
    desk.clock.advance(60)
    assert (await _beat(desk, article, role="chief", take_over=True))[0] == 200
    assert await desk.database["audit"].count({"act": "lock.take_over"}) == 0


async def test_the_lock_is_in_nobodys_way(desk: Any) -> None:
    article = await desk.article()
    await _beat(desk, article)
    path = f"/api/v1/articles/{article['id']}"
    status, edited, _ = await desk.call("PATCH", path, {"headline": "x"}, role="chief", match=1)
    assert (status, edited["revision"]) == (200, 2)
    assert (await _beat(desk, article))[0] == 200
    assert await desk.database["revisions"].count({"article_id": article["id"]}) == 2


async def test_who_may_not_edit_may_not_lock(desk: Any) -> None:
    own, other = await desk.article(role="contributor"), await desk.article()
    assert (await _beat(desk, own, role="contributor"))[0] == 200
    status, problem = await _beat(desk, other, role="contributor")
    assert (status, problem["field"]) == (403, "Authorization")
    retracted = await desk.published()
    await desk.act(retracted["id"], "retract", {"reason": "Invented."})
    status, problem = await _beat(desk, retracted)
    assert (status, problem["field"]) == (409, "status")


async def test_locks_refuse_wrong_input(desk: Any) -> None:
    article = await desk.article()
    for body, named in (
        ({}, "session"),
        ({"session": ""}, "session"),
        ({"session": "x" * 65}, "session"),
        ({"session": "a b"}, "session"),
        ({"session": 5}, "session"),
        ({"session": "a", "take_over": "perhaps"}, "take_over"),
        ({"session": "a", "force": True}, "force"),
    ):
        path = f"/api/v1/articles/{article['id']}/lock"
        status, problem, _ = await desk.call("PUT", path, body)
        assert (status, problem["field"]) == (422, named), body
    for method, query, named in (
        ("DELETE", "", "session"),
        ("DELETE", "?session=a%20b", "session"),
        ("GET", "?session=", "session"),
        ("GET", "?colour=red", "colour"),
    ):
        status, problem, _ = await desk.call(method, path + query)
        assert (status, problem["field"]) == (422, named), (method, query)
    gone = {"id": "01890000-0000-7000-8000-000000000000"}
    status, problem = await _beat(desk, gone)
    assert (status, problem["field"]) == (404, "id")
    assert await desk.database["locks"].count({}) == 0


async def test_a_name_that_looks_like_an_operator_stays_a_name(desk: Any) -> None:
    article = await desk.article()
    token = desk.identities.issue("$person", "$$ROOT", Role.CHIEF, timedelta(hours=1))[0]
    status, lock = await _beat(desk, article, "a.b", role=token)
    assert (status, lock["held_by"], lock["held_by_name"]) == (200, "$person", "$$ROOT")
    assert (await _beat(desk, article, "a.b", role=token, take_over=True))[0] == 200
