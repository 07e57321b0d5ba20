"""Proving who one is: the password, the second factor, and what happens to whoever cannot.

Every wrong answer counts in the throttle and has its line in the audit log, whichever route it came by.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from services.publishing.domain.callers import Caller
from services.publishing.domain.errors import NoSuch, NotProven, Throttled
from services.publishing.domain.second_factor import (
    SecondFactor,
    is_totp,
    matching_step,
    plain_code,
    recovery_hash,
)
from services.publishing.domain.throttle import Attempt
from services.publishing.usecases.front_desk import NOBODY, FrontDesk, Person, log_act
from shared.web.identity import Identity

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Proof:
    """A person whose password was right, and the counted attempt that is to be taken back."""

    person: Person
    attempt: Attempt


async def counted(desk: FrontDesk, email: str, caller: Caller) -> Attempt:
    """An attempt that may be made. Raises `Throttled`."""
    attempt = await desk.throttle.begin(email, caller.network, desk.clock.now())
    if attempt.wait:
        raise Throttled(attempt.wait)
    return attempt


async def has_password(desk: FrontDesk, person: Person | None, password: str) -> bool:
    """Takes as long for nobody as for somebody."""
    stored = person.password_hash if person else None
    return await asyncio.to_thread(desk.passwords.verify, stored, password)


async def prove(
    desk: FrontDesk, by: Identity, password: str, caller: Caller, field: str = "password"
) -> Proof:
    """Ask somebody who is signed in for the password again.

    Raises `Throttled`, `NotProven` naming `field`, or `NoSuch` for a token that is no person's.
    """
    person = await desk.people.get(by.subject)
    if person is None:
        raise NoSuch("user")
    attempt = await counted(desk, person.email, caller)
    if not await has_password(desk, person, password):
        await refuse(desk, "proof.refuse", person, caller, field, by)
        raise NotProven(field, "the password is wrong")
    return Proof(person, attempt)


async def spend_code(
    desk: FrontDesk, person: Person, factor: SecondFactor, code: str
) -> str | None:
    """Use a code up. Answers which kind it was, `totp` or `recovery`; None for a wrong or spent one."""
    code = plain_code(code)
    if not is_totp(code):
        right = await desk.people.spend_recovery(person, recovery_hash(code))
        return "recovery" if right else None
    secret = unsealed(desk, factor.sealed)
    if secret is None:
        return None
    step = matching_step(secret, code, desk.clock.now(), after=factor.last_step)
    if step is None or not await desk.people.spend_step(person, step):
        return None
    return "totp"


def unsealed(desk: FrontDesk, sealed: bytes) -> str | None:
    """The secret; None when HERALD_SECRET_KEY has changed since, and then no code is right."""
    try:
        return str(desk.vault.open(sealed)["secret"])
    except ValueError as error:
        log.warning("a second factor cannot be opened", error=str(error))
        return None


async def refuse(
    desk: FrontDesk,
    act: str,
    person: Person | None,
    caller: Caller,
    wrong: str,
    by: Identity = NOBODY,
) -> None:
    """The audit line of a failure. The e-mail is kept only where it is somebody's: people type
    passwords into the wrong field."""
    detail = {"wrong": wrong, "address": caller.address}
    if person:
        detail["email"] = person.email
    await log_act(desk, act, by, detail, about=person.id if person else None)
