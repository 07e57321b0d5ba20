"""The audit log: found by who acted, whom it concerned, article, act and time, together and page by page."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.integration

PASSWORD = "long enough 1"
ADA = {"email": "ada@news.example", "name": "Ada", "role": "editor", "password": PASSWORD}


async def _acts(desk: Any, query: str, role: str = "admin") -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        path = f"/api/v1/audit?limit=2{query}{cursor}"
        status, page, _ = await desk.call("GET", path, role=role)
        assert status == 200, page
        found += [line["act"] for line in page["items"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def _sign_in(desk: Any, password: str = PASSWORD, email: str = ADA["email"]) -> Any:
    body = {"email": email, "password": password}
    return await desk.call("POST", "/api/v1/sessions", body, role=None)


async def test_lines_are_found_by_who_acted_and_whom_it_concerned(desk: Any) -> None:
    _, ada, _ = await desk.call("POST", "/api/v1/users", ADA, role="admin")
    await _sign_in(desk, "wrong password")
    _, session, _ = await _sign_in(desk)
    await desk.call("POST", "/api/v1/tokens", {"name": "cms"}, role=session["token"])
    path = f"/api/v1/users/{ada['id']}"
    await desk.call("PATCH", path, {"name": "Ada Quill"}, role="admin", match="*")
    article = await desk.article(role=session["token"])
    admin = desk.people["admin"]
    assert await _acts(desk, f"&person={admin}") == ["user.change", "user.add"]
    assert await _acts(desk, f"&person={ada['id']}") == ["create", "token.create", "session.begin"]
    assert await _acts(desk, f"&about={ada['id']}") == [
        *("user.change", "token.create", "session.begin", "session.refuse", "user.add"),
    ]
    assert await _acts(desk, f"&about={ada['id']}&person={admin}") == ["user.change", "user.add"]
    assert await _acts(desk, f"&about={ada['id']}&act=user.add") == ["user.add"]
    assert await _acts(desk, f"&article={article['id']}") == ["create"]
    assert await _acts(desk, f"&article={article['id']}&person={admin}") == []


async def test_lines_are_found_by_when(desk: Any) -> None:
    for number in range(4):
        await desk.article(headline=f"Number {number}")
        desk.clock.advance(60)
    editor = desk.people["editor"]
    for query, count in (
        ("&since=2026-11-23T09:31:00Z", 3),
        ("&until=2026-11-23T09:31:00Z", 1),
        ("&since=2026-11-23T09:31:00Z&until=2026-11-23T09:33:00Z", 2),
        ("&since=2026-11-23T10:31:00%2B01:00&until=2026-11-23T10:32:00%2B01:00", 1),
        ("&since=2026-11-24T00:00:00Z", 0),
        ("&since=2026-11-23T09:31:00Z&until=2026-11-23T09:30:00Z", 0),
        (f"&since=2026-11-23T09:31:00Z&person={editor}&act=create", 3),
        (f"&since=2026-11-23T09:31:00Z&person={editor}&act=edit", 0),
    ):
        assert len(await _acts(desk, query)) == count, query


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2026-11-23", "2026-11-23T09:30:00", "0001-01-01T00:00:00%2B14:00", "%00"],
)
async def test_what_is_no_instant_is_refused(desk: Any, name: str, value: str) -> None:
    status, problem, _ = await desk.call("GET", f"/api/v1/audit?{name}={value}")
    assert (status, problem["field"]) == (422, name)


async def test_each_main_filter_is_answered_from_an_index(desk: Any) -> None:
    indexes = await desk.database._raw["audit"].index_information()
    leading = {tuple(name for name, _ in index["key"]) for index in indexes.values()}
    for field in ("article_id", "by", "about", "act"):
        assert (field, "at", "_id") in leading
    query = {"about": "x", "at": {"$gte": desk.clock.now()}}
    cursor = desk.database._raw["audit"].find(query).sort([("at", -1), ("_id", -1)])
    plan = str((await cursor.explain())["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in plan
    assert "'SORT'" not in plan


async def test_failures_name_whom_they_concern_and_never_what_was_typed(desk: Any) -> None:
    _, ada, _ = await desk.call("POST", "/api/v1/users", ADA, role="admin")
    await _sign_in(desk, "my other password")
    await _sign_in(desk, email="a password typed here")
    path = f"/api/v1/users/{ada['id']}"
    await desk.call("PATCH", path, {"disabled": True}, role="admin", match=1)
    await _sign_in(desk)
    _, log, _ = await desk.call("GET", "/api/v1/audit?act=session.refuse", role="admin")
    disabled, unknown, wrong = log["items"]
    assert (wrong["about"], wrong["detail"]) == (
        ada["id"],
        {"wrong": "password", "address": "127.0.0.1", "email": "ada@news.example"},
    )
    assert "about" not in unknown
    assert unknown["detail"] == {"wrong": "password", "address": "127.0.0.1"}
    assert disabled["detail"]["wrong"] == "disabled"
    assert {line["by"] for line in log["items"]} == {"unknown"}
    assert "password typed" not in str(log)
    _, seen, _ = await desk.call("GET", "/api/v1/audit?act=session.refuse", role="chief")
    assert "127.0.0.1" not in str(seen)  # where colleagues sign in from is for admins


async def test_failures_grow_the_log_no_faster_than_the_throttle_lets_them(desk: Any) -> None:
    await desk.call("POST", "/api/v1/users", ADA, role="admin")
    for _ in range(12):
        await _sign_in(desk, "wrong password")
    assert await _acts(desk, "&act=session.refuse") == ["session.refuse"] * 5


async def test_every_end_of_a_session_has_its_line(desk: Any) -> None:
    _, ada, _ = await desk.call("POST", "/api/v1/users", ADA, role="admin")
    tokens = [(await _sign_in(desk))[1]["token"] for _ in range(4)]
    _, page, _ = await desk.call("GET", "/api/v1/sessions", role=tokens[0])
    others = [one["id"] for one in page["items"] if not one["current"]]
    await desk.call("DELETE", f"/api/v1/sessions/{others[0]}", role=tokens[0])
    await desk.call("DELETE", "/api/v1/sessions", role=tokens[0])
    await desk.call("POST", f"/api/v1/users/{ada['id']}/sign-out", role="admin")
    lines = await _acts(desk, f"&about={ada['id']}")
    ends = [act for act in lines if act.startswith("session.revoke")]
    assert ends == ["session.revoke_all", "session.revoke", "session.revoke"]
