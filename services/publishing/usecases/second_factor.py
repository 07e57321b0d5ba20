"""The second factor of a person: switched on with a proof that the app works, off with a proof of who asks."""

from __future__ import annotations

from services.publishing.domain.callers import Caller
from services.publishing.domain.errors import Conflict, NoSuch, NotAllowed, NotProven
from services.publishing.domain.people import (
    SecondFactorBegin,
    SecondFactorConfirm,
    SecondFactorEnd,
)
from services.publishing.domain.second_factor import (
    SecondFactor,
    enrolment_address,
    is_totp,
    matching_step,
    new_recovery_codes,
    new_secret,
    plain_code,
    recovery_hash,
)
from services.publishing.usecases.front_desk import FrontDesk, log_act
from services.publishing.usecases.proof import counted, prove, refuse, spend_code, unsealed
from shared.web.identity import Identity

ON = "your second factor is on; switch it off first"


async def begin(
    desk: FrontDesk, asked: SecondFactorBegin, by: Identity, caller: Caller
) -> tuple[str, str]:
    """A new secret and its `otpauth://` address; nothing is on yet. An earlier offer is void.

    Raises what `prove` does, or `Conflict` naming `totp` when a factor is on.
    """
    proof = await prove(desk, by, asked.password, caller)
    await desk.throttle.take_back(proof.attempt)
    secret = new_secret()
    if not await desk.people.offer_secret(proof.person.id, desk.vault.seal({"secret": secret})):
        raise Conflict("totp", ON)
    return secret, enrolment_address(secret, proof.person.email)


async def confirm(
    desk: FrontDesk, given: SecondFactorConfirm, by: Identity, caller: Caller
) -> list[str]:
    """Switch it on; answers the recovery codes, which are shown only now.

    Raises `Throttled`, `NotProven` naming `code`, `Conflict` naming `totp`, or `NoSuch`.
    """
    person = await desk.people.get(by.subject)
    if person is None:
        raise NoSuch("user")
    if person.second_factor:
        raise Conflict("totp", ON)
    if person.pending_secret is None:
        raise Conflict("totp", "ask for a secret first")
    attempt = await counted(desk, person.email, caller)
    secret, code = unsealed(desk, person.pending_secret), plain_code(given.code)
    step = matching_step(secret, code, desk.clock.now()) if secret and is_totp(code) else None
    if step is None:
        await refuse(desk, "proof.refuse", person, caller, "code", by)
        raise NotProven("code", "the code is not that of the secret you were given last")
    await desk.throttle.take_back(attempt)
    codes = new_recovery_codes()
    hashes = tuple(recovery_hash(one) for one in codes)
    # The code that proved it is spent: it does not sign anybody in.
    if not await desk.people.begin_second_factor(
        person, SecondFactor(person.pending_secret, step, hashes)
    ):
        raise Conflict("totp", "another request was quicker; ask for a secret again")
    await log_act(desk, "totp.on", by, about=person.id)
    return codes


async def end(desk: FrontDesk, given: SecondFactorEnd, by: Identity, caller: Caller) -> None:
    """Switch one's own off. Raises what `prove` does, for the code too; `Conflict` when it is off."""
    proof = await prove(desk, by, given.password, caller)
    person = proof.person
    if person.second_factor is None:
        await desk.throttle.take_back(proof.attempt)
        raise Conflict("totp", "your second factor is off")
    kind = await spend_code(desk, person, person.second_factor, given.code)
    if kind is None:
        await refuse(desk, "proof.refuse", person, caller, "code", by)
        raise NotProven("code", "the code is wrong, too old, or was used before")
    await desk.throttle.take_back(proof.attempt)
    if await desk.people.end_second_factor(person.id):
        await log_act(desk, "totp.off", by, {"second_factor": kind}, about=person.id)


async def end_for(desk: FrontDesk, person_id: str, by: Identity) -> bool:
    """Switch another person's off, as when the telephone is lost; whether it was on.

    Raises `NoSuch`, or `NotAllowed` for one's own, which takes a proof.
    """
    if person_id == by.subject:
        raise NotAllowed("switch your own off with your password and a code")
    if await desk.people.get(person_id) is None:
        raise NoSuch("user")
    ended = await desk.people.end_second_factor(person_id)
    if ended:
        await log_act(desk, "totp.off", by, about=person_id)
    return ended
