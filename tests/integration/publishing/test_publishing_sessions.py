"""Where somebody is signed in, how it ends everywhere, and what a new password ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.contracts.identity import TokenRevoked
from shared.storage.client import Collection

pytestmark = pytest.mark.integration

PASSWORD, OTHER = "long enough 1", "long enough 2"
ADA = {"email": "ada@news.example", "name": "Ada", "role": "editor", "password": PASSWORD}


async def _person(desk: Any, **changes: Any) -> str:
    status, ada, _ = await desk.call("POST", "/api/v1/users", ADA | changes, role="admin")
    assert status == 201, ada
    return ada["id"]  # type: ignore[no-any-return]


async def _session(desk: Any, password: str = PASSWORD, email: str = ADA["email"]) -> Any:
    body = {"email": email, "password": password}
    headers = {"User-Agent": "Lynx/2.9 \u202e" + "x" * 500}
    status, session, _ = await desk.call(
        "POST", "/api/v1/sessions", body, role=None, headers=headers
    )
    return session["token"] if status == 201 else status


async def _alive(desk: Any, *tokens: str) -> list[bool]:
    return [(await desk.call("GET", "/api/v1/me", role=one))[0] == 200 for one in tokens]


async def _listed(desk: Any, token: str, query: str = "") -> list[Any]:
    status, page, _ = await desk.call("GET", f"/api/v1/sessions{query}", role=token)
    assert status == 200, page
    return page["items"]  # type: ignore[no-any-return]


async def test_sessions_are_listed_with_where_they_were_begun(desk: Any) -> None:
    await _person(desk)
    first, second = await _session(desk), await _session(desk)
    await desk.call("POST", "/api/v1/tokens", {"name": "cms"}, role=first)
    newest, oldest = await _listed(desk, first)
    assert (newest["current"], oldest["current"]) == (False, True)
    assert newest["address"] == "127.0.0.1"
    assert newest["user_agent"].startswith("Lynx/2.9 x")
    assert len(newest["user_agent"]) <= 200
    assert newest["created_at"] == "2026-11-23T09:30:00.000Z"
    assert newest["expires_at"] == "2026-11-23T21:30:00.000Z"
    assert second not in str(newest)
    assert (await _listed(desk, first, f"?limit=1&cursor={newest['id']}"))[0]["id"] == oldest["id"]
    desk.clock.advance(12 * 3600)
    assert await _listed(desk, "editor") == []


async def test_only_an_admin_sees_and_ends_the_sessions_of_others(desk: Any) -> None:
    ada, bob = await _person(desk), await _person(desk, email="bob@news.example")
    token = await _session(desk)
    (session,) = await _listed(desk, token)
    query = f"?person={ada}"
    assert [one["id"] for one in await _listed(desk, "admin", query)] == [session["id"]]
    assert [one["id"] for one in await _listed(desk, token, query)] == [session["id"]]
    assert await _listed(desk, "admin", f"?person={bob}") == []
    status, problem, _ = await desk.call("GET", f"/api/v1/sessions{query}", role="chief")
    assert (status, problem["field"]) == (403, "Authorization")
    status, problem, _ = await desk.call("GET", "/api/v1/sessions?person=me", role="admin")
    assert (status, problem["field"]) == (422, "person")
    path = f"/api/v1/sessions/{session['id']}"
    assert (await desk.call("DELETE", path, role="chief"))[0] == 404
    assert (await desk.call("DELETE", path, role="admin"))[0] == 204
    assert await _alive(desk, token) == [False]


async def test_one_session_is_ended_and_tokens_are_not_sessions(desk: Any) -> None:
    await _person(desk)
    here, there = await _session(desk), await _session(desk)
    _, made, _ = await desk.call("POST", "/api/v1/tokens", {"name": "cms"}, role=here)
    ids = {one["current"]: one["id"] for one in await _listed(desk, here)}
    assert (await desk.call("DELETE", f"/api/v1/tokens/{ids[False]}", role=here))[0] == 404
    assert (await desk.call("DELETE", f"/api/v1/sessions/{made['id']}", role=here))[0] == 404
    for _ in range(2):
        assert (await desk.call("DELETE", f"/api/v1/sessions/{ids[False]}", role=here))[0] == 204
    assert await _alive(desk, here, there, made["token"]) == [True, False, True]
    (event,) = await desk.relayed()
    assert isinstance(event.data, TokenRevoked)
    assert event.data.token_id == ids[False]


async def test_signing_out_everywhere_spares_what_the_body_says(desk: Any) -> None:
    await _person(desk)
    tokens = [await _session(desk) for _ in range(3)]
    _, made, _ = await desk.call("POST", "/api/v1/tokens", {"name": "cms"}, role=tokens[0])
    path = "/api/v1/sessions/end-all"
    status, problem, _ = await desk.call("POST", path, {"keep_current": 3}, role=tokens[0])
    assert (status, problem["field"]) == (422, "keep_current")
    status, done, _ = await desk.call("POST", path, {"keep_current": True}, role=tokens[0])
    assert (status, done) == (200, {"ended": 2})
    assert await _alive(desk, *tokens) == [True, False, False]
    assert (await desk.call("POST", path, {}, role=tokens[0]))[1] == {"ended": 1}
    assert await _alive(desk, tokens[0], made["token"]) == [False, True]
    events = await desk.relayed()
    assert len({event.data.token_id for event in events}) == 3


async def test_an_admin_signs_somebody_out_everywhere(desk: Any, start: Any) -> None:
    ada, other = await _person(desk), await start()
    tokens = [await _session(desk), await _session(other)]
    path = f"/api/v1/users/{ada}/sign-out"
    assert (await desk.call("POST", path, role="chief"))[0] == 403
    status, done, _ = await desk.call("POST", path, role="admin")
    assert (status, done) == (200, {"ended": 2})
    assert await _alive(desk, *tokens) == [False, False]
    desk.clock.advance(3)  # the other replica reads the revoked ones again
    assert await _alive(other, *tokens) == [False, False]
    nobody = "/api/v1/users/01890000-0000-7000-8000-000000000000/sign-out"
    assert (await desk.call("POST", nobody, role="admin"))[0] == 404


async def test_a_new_password_of_ones_own_ends_every_other_session(desk: Any) -> None:
    ada = await _person(desk)
    here, there = await _session(desk), await _session(desk)
    _, made, _ = await desk.call("POST", "/api/v1/tokens", {"name": "cms"}, role=here)
    path = "/api/v1/me/password"
    for body, expected, named in (
        ({"current": "wrong password", "new": OTHER}, 403, "current"),
        ({"current": PASSWORD, "new": "short"}, 422, "new"),
        ({"current": PASSWORD, "new": PASSWORD}, 422, "new"),
        ({"new": OTHER}, 422, "current"),
    ):
        status, problem, _ = await desk.call("PUT", path, body, role=here)
        assert (status, problem["field"]) == (expected, named)
    body = {"current": PASSWORD, "new": OTHER}
    assert (await desk.call("PUT", path, body, role=here))[0] == 204
    assert await _alive(desk, here, there, made["token"]) == [True, False, True]
    assert await _session(desk) == 401
    assert await _alive(desk, await _session(desk, OTHER)) == [True]
    assert (await desk.call("PUT", path, body, role="editor"))[0] == 404  # nobody who is kept
    _, log, _ = await desk.call("GET", f"/api/v1/audit?about={ada}", role="admin")
    acts = {line["act"] for line in log["items"]}
    assert {"user.password", "proof.refuse", "session.refuse", "session.begin"} <= acts
    assert OTHER not in str(log)


async def test_of_two_new_passwords_at_once_one_is_set(desk: Any) -> None:
    await _person(desk)
    here = await _session(desk)
    path = "/api/v1/me/password"
    wanted = ["long enough a", "long enough b"]
    answers = await asyncio.gather(
        *(desk.call("PUT", path, {"current": PASSWORD, "new": one}, role=here) for one in wanted)
    )
    assert sorted(answer[0] for answer in answers) == [204, 403]
    won = [one for one, answer in zip(wanted, answers, strict=True) if answer[0] == 204]
    signed = [one for one in wanted if isinstance(await _session(desk, one), str)]
    assert signed == won


async def test_guesses_at_the_current_password_are_throttled(desk: Any) -> None:
    await _person(desk)
    here = await _session(desk)
    body = {"current": "wrong password", "new": OTHER}
    for _ in range(5):
        assert (await desk.call("PUT", "/api/v1/me/password", body, role=here))[0] == 403
    status, problem, headers = await desk.call("PUT", "/api/v1/me/password", body, role=here)
    assert (status, problem["field"], headers["Retry-After"]) == (429, "password", "900")
    assert await _session(desk) == 429


async def test_an_admins_reset_ends_sessions_and_tokens(desk: Any) -> None:
    ada = await _person(desk)
    here = await _session(desk)
    _, made, _ = await desk.call("POST", "/api/v1/tokens", {"name": "cms"}, role=here)
    path = f"/api/v1/users/{ada}"
    status, problem, _ = await desk.call(
        "PATCH", path, {"password": "short"}, role="admin", match="*"
    )
    assert (status, problem["field"]) == (422, "password")
    status, changed, _ = await desk.call(
        "PATCH", path, {"password": OTHER}, role="admin", match="*"
    )
    assert status == 200
    assert "password" not in changed
    assert await _alive(desk, here, made["token"]) == [False, False]
    assert await _session(desk) == 401
    assert await _alive(desk, await _session(desk, OTHER)) == [True]
    own = f"/api/v1/users/{desk.people['admin']}"
    assert (await desk.call("PATCH", own, {"password": OTHER}, role="admin", match="*"))[0] == 403
    _, log, _ = await desk.call("GET", f"/api/v1/audit?about={ada}&act=user.change", role="admin")
    (line,) = log["items"]
    assert line["detail"] == {"user": ada, "password": "reset"}
    kept = str(await desk.database["audit"].find({}))
    assert OTHER not in kept


async def test_nothing_issued_while_a_password_is_reset_outlives_it(desk: Any) -> None:
    ada = await _person(desk)
    here = await _session(desk)

    async def tokens() -> list[str]:
        made = []
        for number in range(8):
            body = {"name": f"spare {number}"}
            status, new, _ = await desk.call("POST", "/api/v1/tokens", body, role=here)
            made += [new["token"]] if status == 201 else []
        return made

    async def sessions() -> list[str]:
        made = [await _session(desk) for _ in range(4)]
        return [one for one in made if isinstance(one, str)]

    path = f"/api/v1/users/{ada}"
    *made, (status, _, _) = await asyncio.gather(
        *(tokens() for _ in range(3)),
        *(sessions() for _ in range(3)),
        desk.call("PATCH", path, {"password": OTHER}, role="admin", match="*"),
    )
    assert status == 200
    spare = [token for several in made for token in several]
    desk.clock.advance(3)  # revocations are read again
    assert set(await _alive(desk, *spare)) <= {False}


@pytest.mark.parametrize(
    "change", [{"disabled": True}, {"password": OTHER}, {"role": "contributor"}]
)
async def test_a_crash_leaves_nobody_changed_whose_tokens_live_on(
    desk: Any, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], described_answers: list[str]
) -> None:
    ada = await _person(desk)
    session = await _session(desk)
    update = Collection.update_one

    async def dies(self: Collection, *args: Any, **options: Any) -> bool:
        if self.name == "tokens":
            raise RuntimeError("killed here")
        return await update(self, *args, **options)

    path = f"/api/v1/users/{ada}"
    with monkeypatch.context() as crash:
        crash.setattr(Collection, "update_one", dies)
        assert (await desk.call("PATCH", path, change, role="admin", match=1))[0] == 500
    described_answers.clear()  # no client is told of our death
    assert await _alive(desk, session) == [True]
    assert (await desk.call("GET", path, role="admin"))[1]["revision"] == 1
    assert (await desk.call("PATCH", path, change, role="admin", match=2))[0] == 412
    assert await _alive(desk, session) == [True]
    assert (await desk.call("PATCH", path, change, role="admin", match=1))[0] == 200
    assert await _alive(desk, session) == [False]


async def test_a_crash_leaves_no_session_of_an_old_password(
    desk: Any, monkeypatch: pytest.MonkeyPatch, described_answers: list[str]
) -> None:
    await _person(desk)
    here, there = await _session(desk), await _session(desk)
    update = Collection.update_one

    async def dies(self: Collection, *args: Any, **options: Any) -> bool:
        if self.name == "tokens":
            raise RuntimeError("killed here")
        return await update(self, *args, **options)

    change = {"current": PASSWORD, "new": OTHER}
    with monkeypatch.context() as crash:
        crash.setattr(Collection, "update_one", dies)
        assert (await desk.call("PUT", "/api/v1/me/password", change, role=here))[0] == 500
    described_answers.clear()  # no client is told of our death
    assert (await desk.call("PUT", "/api/v1/me/password", change, role=here))[0] == 204
    assert await _alive(desk, here, there) == [True, False]
