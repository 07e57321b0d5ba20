"""The second factor over the real database: on with a proof, each code once, off by whoever may."""

from __future__ import annotations

import asyncio
from typing import Any

import pyotp
import pytest

pytestmark = pytest.mark.integration

PASSWORD = "long enough 1"
ADA = {"email": "ada@news.example", "name": "Ada", "role": "editor", "password": PASSWORD}


async def _sign_in(desk: Any, **fields: Any) -> Any:
    body = {"email": ADA["email"], "password": PASSWORD, **fields}
    return await desk.call("POST", "/api/v1/sessions", body, role=None)


async def _ada(desk: Any) -> tuple[str, str]:
    """Her id and a session of hers."""
    status, ada, _ = await desk.call("POST", "/api/v1/users", ADA, role="admin")
    assert status == 201, ada
    _, session, _ = await _sign_in(desk)
    return ada["id"], session["token"]


def _code(desk: Any, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(desk.clock.now(), counter_offset=steps)


async def _on(desk: Any, token: str) -> tuple[str, list[str]]:
    """Switches it on and lets a step pass; the secret and the recovery codes."""
    status, offer, headers = await desk.call(
        "POST", "/api/v1/me/totp", {"password": PASSWORD}, role=token
    )
    assert (status, headers["Cache-Control"]) == (201, "no-store"), offer
    body = {"code": _code(desk, offer["secret"])}
    status, done, headers = await desk.call("POST", "/api/v1/me/totp/confirm", body, role=token)
    assert (status, headers["Cache-Control"]) == (200, "no-store"), done
    desk.clock.advance(30)
    return offer["secret"], done["recovery_codes"]


async def _totp_off(desk: Any, token: str, **fields: Any) -> Any:
    return await desk.call("DELETE", "/api/v1/me/totp", {"password": PASSWORD} | fields, role=token)


async def test_it_is_on_only_after_the_app_has_shown_a_code(desk: Any) -> None:
    _, token = await _ada(desk)
    _, offer, _ = await desk.call("POST", "/api/v1/me/totp", {"password": PASSWORD}, role=token)
    parsed = pyotp.parse_uri(offer["otpauth_uri"])
    assert (parsed.secret, parsed.name, parsed.issuer) == (offer["secret"], ADA["email"], "Herald")
    assert (await _sign_in(desk))[0] == 201
    assert (await desk.call("GET", "/api/v1/me", role=token))[1]["totp"] is False
    path = "/api/v1/me/totp/confirm"
    status, problem, _ = await desk.call("POST", path, {"code": "12345"}, role=token)
    assert (status, problem["field"]) == (403, "code")
    _, newer, _ = await desk.call("POST", "/api/v1/me/totp", {"password": PASSWORD}, role=token)
    assert newer["secret"] != offer["secret"]
    stale = {"code": _code(desk, offer["secret"])}
    assert (await desk.call("POST", path, stale, role=token))[0] == 403
    fresh = {"code": _code(desk, newer["secret"])}
    status, done, _ = await desk.call("POST", path, fresh, role=token)
    assert (status, len(set(done["recovery_codes"]))) == (200, 10)
    assert (await desk.call("GET", "/api/v1/me", role=token))[1]["totp"] is True
    status, problem, _ = await desk.call("POST", path, fresh, role=token)
    assert (status, problem["field"]) == (409, "totp")
    body = {"password": PASSWORD}
    status, problem, _ = await desk.call("POST", "/api/v1/me/totp", body, role=token)
    assert (status, problem["field"]) == (409, "totp")


async def test_beginning_takes_the_password_and_confirming_takes_an_offer(desk: Any) -> None:
    _, token = await _ada(desk)
    body = {"password": "wrong password"}
    status, problem, _ = await desk.call("POST", "/api/v1/me/totp", body, role=token)
    assert (status, problem["field"]) == (403, "password")
    body = {"code": "123456"}
    status, problem, _ = await desk.call("POST", "/api/v1/me/totp/confirm", body, role=token)
    assert (status, problem["field"]) == (409, "totp")
    status, problem, _ = await _totp_off(desk, token, code="123456")
    assert (status, problem["field"]) == (409, "totp")
    for path, body in (("", {"password": PASSWORD}), ("/confirm", {"code": "123456"})):
        made = await desk.call("POST", f"/api/v1/me/totp{path}", body, role="editor")
        assert made[0] == 404  # a token of nobody who is kept


async def test_signing_in_asks_for_a_code_only_after_the_right_password(desk: Any) -> None:
    _, token = await _ada(desk)
    secret, _ = await _on(desk, token)
    wrong = await _sign_in(desk, password="wrong password")
    with_code = await _sign_in(desk, password="wrong password", code=_code(desk, secret))
    unknown = await _sign_in(desk, email="nobody@news.example")
    assert wrong[:2] == with_code[:2] == unknown[:2]
    assert (wrong[0], wrong[1]["field"]) == (401, "password")
    status, problem, _ = await _sign_in(desk)
    assert (status, problem["field"]) == (401, "code")
    status, problem, _ = await _sign_in(desk, code="000000000")
    assert (status, problem["field"]) == (401, "code")
    spaced = _code(desk, secret)
    assert (await _sign_in(desk, code=f"{spaced[:3]} {spaced[3:]}"))[0] == 201


@pytest.mark.parametrize(
    ("steps", "expected"), [(-2, 401), (-1, 401), (0, 201), (1, 201), (2, 401)]
)
async def test_a_clock_may_be_one_step_off(desk: Any, steps: int, expected: int) -> None:
    _, token = await _ada(desk)
    secret, _ = await _on(desk, token)  # one step ago: the step before this one is spent
    assert (await _sign_in(desk, code=_code(desk, secret, steps)))[0] == expected
    desk.clock.advance(60)
    late = await _sign_in(desk, code=_code(desk, secret, -1))  # the step after the first one
    assert late[0] == (401 if steps == 1 else 201)


async def test_a_code_serves_once_even_for_two_at_the_same_time(desk: Any, start: Any) -> None:
    _, token = await _ada(desk)
    secret, _ = await _on(desk, token)
    other = await start()
    code = _code(desk, secret)
    answers = await asyncio.gather(
        *(_sign_in(replica, code=code) for replica in (desk, other, desk, other))
    )
    assert sorted(answer[0] for answer in answers) == [201, 401, 401, 401]
    assert {answer[1]["field"] for answer in answers if answer[0] == 401} == {"code"}
    assert (await _sign_in(desk, code=code))[0] == 401
    desk.clock.advance(30)
    assert (await _sign_in(other, code=_code(desk, secret)))[0] == 201


async def test_a_recovery_code_serves_once_even_for_two_at_the_same_time(
    desk: Any, start: Any
) -> None:
    _, token = await _ada(desk)
    _, codes = await _on(desk, token)
    other = await start()
    answers = await asyncio.gather(
        *(_sign_in(replica, code=codes[0]) for replica in (desk, other, desk, other))
    )
    assert sorted(answer[0] for answer in answers) == [201, 401, 401, 401]
    assert (await _sign_in(desk, code=codes[1].replace("-", "").upper()))[0] == 201
    stored = await desk.database["users"].find_one({"email": ADA["email"]})
    assert len(stored["second_factor"]["recovery"]) == 8


async def test_two_confirmations_at_once_hand_out_one_set_of_recovery_codes(desk: Any) -> None:
    _, token = await _ada(desk)
    _, offer, _ = await desk.call("POST", "/api/v1/me/totp", {"password": PASSWORD}, role=token)
    body = {"code": _code(desk, offer["secret"])}
    path = "/api/v1/me/totp/confirm"
    answers = await asyncio.gather(*(desk.call("POST", path, body, role=token) for _ in range(4)))
    assert sorted(answer[0] for answer in answers) == [200, 409, 409, 409]


async def test_wrong_codes_close_the_door_as_wrong_passwords_do(desk: Any) -> None:
    _, token = await _ada(desk)
    secret, _ = await _on(desk, token)
    for _ in range(5):
        assert (await _sign_in(desk))[0] == 401  # asking for the code is no failure
    assert (await _sign_in(desk, password="wrong password"))[0] == 401
    for _ in range(4):
        assert (await _sign_in(desk, code="wrong"))[0] == 401
    status, problem, headers = await _sign_in(desk, code=_code(desk, secret))
    assert (status, problem["field"], headers["Retry-After"]) == (429, "password", "900")
    desk.clock.advance(901)
    assert (await _sign_in(desk, code=_code(desk, secret)))[0] == 201


async def test_a_session_with_the_password_gets_no_more_guesses_at_the_code(desk: Any) -> None:
    _, token = await _ada(desk)
    secret, _ = await _on(desk, token)
    path, same = "/api/v1/me/password", {"current": PASSWORD, "new": PASSWORD}
    for _ in range(5):
        assert (await _totp_off(desk, token, code="000000000"))[0] == 403
        # The right password in between forgives nothing.
        status, problem, _ = await desk.call("PUT", path, same, role=token)
        assert problem["field"] in {"new", "password"}
    status, problem, _ = await _totp_off(desk, token, code=_code(desk, secret))
    assert (status, problem["field"]) == (429, "password")


async def test_it_is_switched_off_with_password_and_code(desk: Any) -> None:
    _, token = await _ada(desk)
    secret, codes = await _on(desk, token)
    for fields, named in (
        ({"password": "wrong password", "code": _code(desk, secret)}, "password"),
        ({"code": "000000000"}, "code"),
    ):
        status, problem, _ = await _totp_off(desk, token, **fields)
        assert (status, problem["field"]) == (403, named)
    assert (await _totp_off(desk, token, code=_code(desk, secret)))[0] == 204
    assert (await _sign_in(desk))[0] == 201
    _, codes = await _on(desk, token)
    assert (await _totp_off(desk, token, code=codes[3]))[0] == 204
    stored = await desk.database["users"].find_one({"email": ADA["email"]})
    assert (stored["second_factor"], stored["pending_secret"]) == (None, None)


async def test_an_admin_switches_off_what_another_has_lost(desk: Any) -> None:
    ada, token = await _ada(desk)
    await _on(desk, token)
    path = f"/api/v1/users/{ada}/totp"
    _, people, _ = await desk.call("GET", "/api/v1/users", role="admin")
    assert [one["totp"] for one in people["items"]] == [True]
    assert (await desk.call("DELETE", path, role="chief"))[0] == 403
    assert (await desk.call("DELETE", path, role="admin"))[0] == 204
    assert (await desk.call("DELETE", path, role="admin"))[0] == 204
    assert (await _sign_in(desk))[0] == 201
    own = f"/api/v1/users/{desk.people['admin']}/totp"
    assert (await desk.call("DELETE", own, role="admin"))[0] == 403
    nobody = "/api/v1/users/01890000-0000-7000-8000-000000000000/totp"
    assert (await desk.call("DELETE", nobody, role="admin"))[0] == 404
    _, log, _ = await desk.call("GET", f"/api/v1/audit?about={ada}&act=totp.off", role="admin")
    assert [line["by"] for line in log["items"]] == [desk.people["admin"]]


async def test_nothing_readable_is_kept_and_nothing_secret_is_audited(desk: Any) -> None:
    _, token = await _ada(desk)
    secret, codes = await _on(desk, token)
    await _sign_in(desk, code=codes[0])
    await _sign_in(desk, code="a guess of mine", password=PASSWORD)
    kept = [
        str(document)
        for name in await desk.database.collection_names()
        for document in await desk.database[name].find({})
    ]
    for hidden in (secret, PASSWORD, "a guess", *codes, *(c.replace("-", "") for c in codes)):
        assert not any(hidden in document for document in kept), hidden


async def test_another_secret_key_accepts_no_code_but_an_admin_helps(desk: Any) -> None:
    ada, token = await _ada(desk)
    secret, codes = await _on(desk, token)
    await desk.database["users"].update_one(
        {"_id": ada}, {"$set": {"second_factor.sealed": b"sealed with a key that is gone"}}
    )
    status, problem, _ = await _sign_in(desk, code=_code(desk, secret))
    assert (status, problem["field"]) == (401, "code")
    assert (await _sign_in(desk, code=codes[0]))[0] == 201
    await desk.call("DELETE", f"/api/v1/users/{ada}/totp", role="admin")
    assert (await _sign_in(desk))[0] == 201
