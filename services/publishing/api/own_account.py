"""One's own account over HTTP: who one is, the password, the second factor. Secrets are shown once."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.publishing.api.answers import caller_of, once, refuse_at_once
from services.publishing.api.people_answers import MeAnswer, RecoveryAnswer, SecretAnswer
from services.publishing.api.people_texts import (
    CODE_NOT_PROVEN,
    NO_PERSON,
    NOT_PROVEN,
    OWN_ACCOUNT,
    THROTTLED,
)
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.people import (
    PasswordChange,
    SecondFactorBegin,
    SecondFactorConfirm,
    SecondFactorEnd,
)
from services.publishing.usecases import people, second_factor
from services.publishing.usecases.front_desk import FrontDesk
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Refusal, described
from shared.web.identity import require_role
from shared.web.requests import json_response, query_values, read_json

ME = Operation(
    "read_me",
    "Who am I?",
    OWN_ACCOUNT,
    {200: Answer("Whom the token speaks for.", MeAnswer)},
    role=Role.CONTRIBUTOR,
)
CHANGE_PASSWORD = Operation(
    "change_password",
    "Change one's password",
    OWN_ACCOUNT,
    {204: Answer("It is changed. Every other session and token has ended.")},
    role=Role.CONTRIBUTOR,
    body=PasswordChange,
    example={"current": "correct horse battery", "new": "a better horse, a battery more"},
    refusals=(
        Refusal(403, "Show again who you are", "current", "the password is wrong"),
        Refusal(422, "The input is not valid", "new", "this is the password you have"),
        NO_PERSON,
        THROTTLED,
    ),
)
BEGIN = Operation(
    "begin_second_factor",
    "Ask for a second factor's secret",
    OWN_ACCOUNT,
    {201: Answer("The secret, shown this once.", SecretAnswer)},
    role=Role.CONTRIBUTOR,
    text="An earlier offer is void. Nothing is on before it is confirmed.",
    body=SecondFactorBegin,
    example={"password": "correct horse battery"},
    refusals=(
        Refusal(
            409,
            "Not possible as things stand",
            "totp",
            "your second factor is on; switch it off first",
        ),
        NOT_PROVEN,
        NO_PERSON,
        THROTTLED,
    ),
)
CONFIRM = Operation(
    "confirm_second_factor",
    "Switch the second factor on",
    OWN_ACCOUNT,
    {200: Answer("Recovery codes, shown this once.", RecoveryAnswer)},
    role=Role.CONTRIBUTOR,
    text="With a code from the app that has just read the secret.",
    body=SecondFactorConfirm,
    example={"code": "492 039"},
    refusals=(
        Refusal(409, "Not possible as things stand", "totp", "ask for a secret first"),
        CODE_NOT_PROVEN,
        NO_PERSON,
        THROTTLED,
    ),
)
END = Operation(
    "end_second_factor",
    "Switch the second factor off",
    OWN_ACCOUNT,
    {204: Answer("It is off.")},
    role=Role.CONTRIBUTOR,
    body=SecondFactorEnd,
    example={"password": "correct horse battery", "code": "492 039"},
    refusals=(
        Refusal(409, "Not possible as things stand", "totp", "your second factor is off"),
        NOT_PROVEN,
        CODE_NOT_PROVEN,
        NO_PERSON,
        THROTTLED,
    ),
)


def routes(desk: FrontDesk, trusted_proxies: int) -> list[web.AbstractRouteDef]:
    async def me(request: web.Request) -> web.Response:
        identity = await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        person = await desk.people.get(identity.subject)
        about: dict[str, Any] = {"id": identity.subject, "name": identity.name, "totp": False}
        if person:
            about["name"], about["email"] = person.name, person.email
            about["totp"] = person.second_factor is not None
        # Role and scopes of the token, which may be less than the person's own.
        about["role"] = identity.role.name.lower()
        about["scopes"] = None if identity.scopes is None else sorted(identity.scopes)
        return json_response(shown(about))

    async def change_password(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        change = await read_json(request, PasswordChange)
        caller = caller_of(request, trusted_proxies)
        await refuse_at_once(request, await people.change_password(desk, change, person, caller))
        return web.Response(status=204)

    async def begin(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        asked = await read_json(request, SecondFactorBegin)
        caller = caller_of(request, trusted_proxies)
        secret, address = await second_factor.begin(desk, asked, person, caller)
        return once({"secret": secret, "otpauth_uri": address})

    async def confirm(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        given = await read_json(request, SecondFactorConfirm)
        caller = caller_of(request, trusted_proxies)
        codes = await second_factor.confirm(desk, given, person, caller)
        return once({"recovery_codes": codes}, status=200)

    async def end(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        given = await read_json(request, SecondFactorEnd)
        await second_factor.end(desk, given, person, caller_of(request, trusted_proxies))
        return web.Response(status=204)

    return [
        described(web.get("/api/v1/me", refusing(me)), ME),
        described(web.put("/api/v1/me/password", refusing(change_password)), CHANGE_PASSWORD),
        described(web.post("/api/v1/me/totp", refusing(begin)), BEGIN),
        described(web.post("/api/v1/me/totp/confirm", refusing(confirm)), CONFIRM),
        described(web.delete("/api/v1/me/totp", refusing(end)), END),
    ]
