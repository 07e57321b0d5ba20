"""Sign-in, people and tokens: who gets in, who is kept out, and how quickly a token dies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.publishing.app import front_desk
from services.publishing.domain.people import NewPerson, NewToken
from services.publishing.usecases.front_desk import SYSTEM
from services.publishing.usecases.people import ensure_admin
from services.publishing.usecases.tokens import create_token
from shared.contracts.identity import TokenRevoked

pytestmark = pytest.mark.integration

ADA = {"email": "Ada@News.example", "name": "Ada", "role": "editor", "password": "long enough 1"}


async def _ada(desk: Any, **changes: Any) -> Any:
    status, ada, _ = await desk.call("POST", "/api/v1/users", ADA | changes, role="admin")
    assert status == 201, ada
    return ada


async def _change(desk: Any, path: str, body: Any, match: Any = "*") -> Any:
    return await desk.call("PATCH", path, body, role="admin", match=match)


async def _sign_in(desk: Any, password: str = ADA["password"], email: str = ADA["email"]) -> Any:
    return await desk.call(
        "POST", "/api/v1/sessions", {"email": email, "password": password}, role=None
    )


async def test_a_person_signs_in_acts_and_signs_out(desk: Any) -> None:
    ada = await _ada(desk)
    assert (ada["email"], ada["role"], ada["disabled"]) == ("ada@news.example", "editor", False)
    assert "password" not in str(ada)
    status, session, headers = await _sign_in(desk)
    assert (status, headers["Cache-Control"]) == (201, "no-store")
    assert session["expires_at"] == "2026-11-23T21:30:00.000Z"
    token = session["token"]
    _, me, _ = await desk.call("GET", "/api/v1/me", role=token)
    assert me == {
        "id": ada["id"],
        "name": "Ada",
        "email": "ada@news.example",
        "role": "editor",
        "totp": False,
    }
    assert (await desk.call("DELETE", "/api/v1/sessions", role=token))[0] == 204
    status, problem, _ = await desk.call("GET", "/api/v1/me", role=token)
    assert (status, problem["field"]) == (401, "Authorization")
    (event,) = await desk.relayed()
    assert isinstance(event.data, TokenRevoked)


async def test_a_session_ends_by_itself(desk: Any) -> None:
    await _ada(desk)
    _, session, _ = await _sign_in(desk)
    desk.clock.advance(12 * 3600)
    assert (await desk.call("GET", "/api/v1/me", role=session["token"]))[0] == 401


async def test_every_refused_sign_in_looks_the_same(desk: Any) -> None:
    ada = await _ada(desk)
    wrong = await _sign_in(desk, "wrong password")
    unknown = await _sign_in(desk, email="nobody@news.example")
    await _change(desk, f"/api/v1/users/{ada['id']}", {"disabled": True})
    disabled = await _sign_in(desk)
    assert [answer[0] for answer in (wrong, unknown, disabled)] == [401, 401, 401]
    assert wrong[1] == unknown[1] == disabled[1]


async def test_five_failures_close_the_door_for_a_quarter_of_an_hour(desk: Any) -> None:
    await _ada(desk)
    answers = await asyncio.gather(*(_sign_in(desk, "wrong password") for _ in range(12)))
    assert sorted(answer[0] for answer in answers) == [401] * 5 + [429] * 7
    status, problem, headers = await _sign_in(desk)
    assert (status, problem["field"], headers["Retry-After"]) == (429, "password", "900")
    assert (await _sign_in(desk, email="other@news.example"))[0] == 401
    desk.clock.advance(901)
    assert (await _sign_in(desk))[0] == 201


async def test_a_success_forgets_the_failures(desk: Any) -> None:
    await _ada(desk)
    for _ in range(3):
        for _ in range(4):
            assert (await _sign_in(desk, "wrong password"))[0] == 401
        assert (await _sign_in(desk))[0] == 201


async def test_people_are_held_to_rules(desk: Any) -> None:
    await _ada(desk)
    for change, expected, named in (
        ({"email": "ada@news.EXAMPLE"}, 409, "email"),
        ({"email": "no address"}, 422, "email"),
        ({"email": "a@b@c.example"}, 422, "email"),
        ({"password": "short"}, 422, "password"),
        ({"password": "x" * 201}, 422, "password"),
        ({"role": "king"}, 422, "role"),
        ({"name": ""}, 422, "name"),
        ({"shoe": 1}, 422, "shoe"),
    ):
        status, problem, _ = await desk.call("POST", "/api/v1/users", ADA | change, role="admin")
        assert (status, problem["field"]) == (expected, named)


async def test_a_changed_role_ends_every_token_at_once(desk: Any) -> None:
    ada = await _ada(desk)
    _, session, _ = await _sign_in(desk)
    path = f"/api/v1/users/{ada['id']}"
    status, changed, _ = await _change(desk, path, {"role": "contributor"})
    assert (status, changed["role"]) == (200, "contributor")
    assert (await desk.call("GET", "/api/v1/me", role=session["token"]))[0] == 401
    _, again, _ = await _sign_in(desk)
    _, me, _ = await desk.call("GET", "/api/v1/me", role=again["token"])
    assert me["role"] == "contributor"
    for body, named in (({"role": None}, "role"), ({"email": "x@y.example"}, "email")):
        status, problem, _ = await _change(desk, path, body)
        assert (status, problem["field"]) == (422, named)
    own = f"/api/v1/users/{desk.people['admin']}"
    assert (await _change(desk, own, {"disabled": True}))[0] == 403
    nobody = "/api/v1/users/01890000-0000-7000-8000-000000000000"
    assert (await _change(desk, nobody, {}))[0] == 404


async def test_a_change_of_a_person_needs_the_revision_that_was_seen(desk: Any) -> None:
    ada = await _ada(desk)
    path = f"/api/v1/users/{ada['id']}"
    status, seen, headers = await desk.call("GET", path, role="admin")
    assert (status, seen, headers["ETag"]) == (200, ada, '"1"')
    status, problem, _ = await desk.call("PATCH", path, {"name": "Bo"}, role="admin")
    assert (status, problem["field"]) == (428, "If-Match")
    answers = await asyncio.gather(
        *(_change(desk, path, {"name": f"Ada {n}"}, match=1) for n in range(5))
    )
    assert sorted(status for status, _, _ in answers) == [200, 412, 412, 412, 412]
    for body in ({"name": "Late"}, {}):
        status, problem, headers = await _change(desk, path, body, match=1)
        assert (status, problem["field"], problem["current_revision"]) == (412, "If-Match", 2)
        assert (headers["ETag"], problem["title"]) == (
            '"2"',
            "The person has changed since you read it",
        )
    status, changed, headers = await _change(desk, path, {"name": "$name"}, match=2)
    assert (status, changed["name"], headers["ETag"]) == (200, "$name", '"3"')
    status, same, _ = await _change(desk, path, {}, match=3)
    assert (status, same) == (200, changed)
    # Whoever was added before there were revisions is at the first.
    await desk.database["users"].update_one({"_id": ada["id"]}, {"$unset": {"revision": 1}})
    assert (await _change(desk, path, {"name": "Ada"}, match=2))[0] == 412
    status, changed, _ = await _change(desk, path, {"name": "Ada"}, match=1)
    assert (status, changed["revision"]) == (200, 2)
    nobody = "/api/v1/users/01890000-0000-7000-8000-000000000000"
    assert (await desk.call("GET", nobody, role="admin"))[0] == 404


async def test_no_token_made_while_its_maker_is_disabled_outlives_them(desk: Any) -> None:
    ada = await _ada(desk)
    _, session, _ = await _sign_in(desk)

    async def tokens() -> list[str]:
        made = []
        for number in range(8):
            body = {"name": f"spare {number}"}
            status, new, _ = await desk.call("POST", "/api/v1/tokens", body, role=session["token"])
            made += [new["token"]] if status == 201 else []
        return made

    path = f"/api/v1/users/{ada['id']}"
    *made, _, (status, signed_in, _) = await asyncio.gather(
        *(tokens() for _ in range(4)),
        _change(desk, path, {"disabled": True}),
        _sign_in(desk),
    )
    spare = [token for several in made for token in several]
    spare += [signed_in["token"]] if status == 201 else []
    desk.clock.advance(3)  # revocations are read again
    answers = {(await desk.call("GET", "/api/v1/me", role=token))[0] for token in spare}
    assert answers <= {401}


async def test_people_are_listed_page_by_page(desk: Any) -> None:
    for n in range(3):
        await _ada(desk, email=f"p{n}@news.example")
    _, first, _ = await desk.call("GET", "/api/v1/users?limit=2", role="admin")
    _, second, _ = await desk.call(
        "GET", f"/api/v1/users?limit=2&cursor={first['next']}", role="admin"
    )
    emails = [one["email"] for one in first["items"] + second["items"]]
    assert emails == [f"p{n}@news.example" for n in range(3)]
    assert second["next"] is None
    assert "hash" not in str(first)


async def test_a_token_is_made_listed_used_and_revoked(desk: Any) -> None:
    status, made, _ = await desk.call(
        "POST", "/api/v1/tokens", {"name": "cms", "days": 30, "role": "contributor"}
    )
    assert (status, made["role"]) == (201, "contributor")
    assert made["expires_at"] == "2026-12-23T09:30:00.000Z"
    _, me, _ = await desk.call("GET", "/api/v1/me", role=made["token"])
    assert me["role"] == "contributor"
    _, listed, _ = await desk.call("GET", "/api/v1/tokens")
    assert [one["name"] for one in listed["items"]] == ["cms"]
    assert made["token"] not in str(listed)
    path = f"/api/v1/tokens/{made['id']}"
    assert (await desk.call("DELETE", path, role="chief"))[0] == 404
    assert (await desk.call("DELETE", path))[0] == 204
    assert (await desk.call("GET", "/api/v1/me", role=made["token"]))[0] == 401
    assert (await desk.call("DELETE", path))[0] == 204
    (event,) = await desk.relayed()
    assert isinstance(event.data, TokenRevoked)
    assert event.data.token_id == made["id"]
    assert (event.type, event.routing_key) == ("identity.token_revoked",) * 2


async def test_tokens_are_held_to_rules(desk: Any) -> None:
    for body, named in (
        ({}, "name"),
        ({"name": "x", "days": 0}, "days"),
        ({"name": "x", "days": 366}, "days"),
        ({"name": "x", "role": "admin"}, "role"),
        ({"name": "x" * 121}, "name"),
    ):
        status, problem, _ = await desk.call("POST", "/api/v1/tokens", body)
        assert (status, problem["field"]) == (422, named)


async def test_an_admin_revokes_anybodys_token(desk: Any) -> None:
    _, made, _ = await desk.call("POST", "/api/v1/tokens", {"name": "x"})
    path = f"/api/v1/tokens/{made['id']}"
    assert (await desk.call("DELETE", path, role="admin"))[0] == 204


async def test_a_revocation_reaches_the_other_replicas_by_its_event(desk: Any, start: Any) -> None:
    other = await start()
    _, made, _ = await desk.call("POST", "/api/v1/tokens", {"name": "x"})
    await desk.call("DELETE", f"/api/v1/tokens/{made['id']}")
    (event,) = await desk.relayed()
    await desk.database["revoked_tokens"].delete_one({"_id": made["id"]})
    await other.deliver(event.data, made["id"])
    desk.clock.advance(3)
    assert (await other.call("GET", "/api/v1/me", role=made["token"]))[0] == 401


async def test_the_command_line_makes_the_first_admin_once(desk: Any) -> None:
    people = front_desk(desk.settings, desk.database, desk.clock)
    new = NewPerson(email="root@news.example", name="Root", role="admin", password="long enough 1")
    first = await ensure_admin(people, new)
    assert await ensure_admin(people, new) == first
    token, _ = await create_token(people, NewToken(name="cli", days=1), SYSTEM)
    _, me, _ = await desk.call("GET", "/api/v1/me", role=token)
    assert (me["name"], me["role"]) == ("Herald", "admin")


async def test_acts_on_people_are_audited_without_secrets(desk: Any) -> None:
    await _ada(desk)
    await _sign_in(desk)
    _, log, _ = await desk.call("GET", "/api/v1/audit")
    assert [one["act"] for one in log["items"]] == ["session.begin", "user.add"]
    assert ADA["password"] not in str(log)
