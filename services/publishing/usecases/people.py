"""People: who may sign in, with which role and password, and how a change of either ends what was issued."""

from __future__ import annotations

import asyncio

from services.publishing.domain.callers import Caller
from services.publishing.domain.errors import Invalid, NoSuch, NotAllowed, NotProven, Stale
from services.publishing.domain.people import NewPerson, PasswordChange, PersonChange
from services.publishing.usecases.front_desk import (
    SYSTEM,
    FrontDesk,
    Person,
    Token,
    end_all,
    log_act,
)
from services.publishing.usecases.proof import prove
from shared.contracts.identity import Role
from shared.web.identity import Identity


async def add_person(desk: FrontDesk, new: NewPerson, by: Identity) -> Person:
    """Raises `Conflict` naming `email`."""
    person = Person(
        id=desk.make_id(),
        email=new.email,
        name=new.name,
        role=Role[new.role.upper()],
        password_hash=await asyncio.to_thread(desk.passwords.hash, new.password),
        disabled=False,
        created_at=desk.clock.now(),
    )
    await desk.people.add(person)
    detail = {"user": person.id, "email": new.email, "role": new.role}
    await log_act(desk, "user.add", by, detail, about=person.id)
    return person


async def ensure_admin(desk: FrontDesk, new: NewPerson) -> Person:
    """The person with this e-mail, made now if there is none (first start of `herald up`)."""
    found = await desk.people.by_email(new.email)
    return found or await add_person(desk, new, SYSTEM)


async def change_person(
    desk: FrontDesk, person_id: str, expected: int | None, change: PersonChange, by: Identity
) -> tuple[Person, list[Token]]:
    """The person afterwards and the tokens that ended with it.

    Raises `NoSuch`, `NotAllowed`, or `Stale` unless the person is at `expected` (None: at any).
    """
    fields = change.model_dump(exclude_unset=True)
    detail = {"user": person_id, **fields}
    ending = bool({"role", "disabled", "password"} & set(fields))
    if person_id == by.subject and ending:
        raise NotAllowed(
            "nobody changes their own role or locks themselves out; "
            "your password is changed with the one you have"
        )
    ended: list[Token] = []
    if ending:
        before = await read_person(desk, person_id)
        if expected not in {None, before.revision}:
            raise Stale(before.revision, "person")
        # Also beforehand: a crash in between must not leave somebody disabled who still gets in.
        ended = await end_all(desk, person_id)
    if password := fields.pop("password", None):
        fields["password_hash"] = await asyncio.to_thread(desk.passwords.hash, password)
        detail["password"] = "reset"  # noqa: S105 - that it was, not what it is
    person = await desk.people.change(person_id, fields, expected) if fields else None
    if person is None:
        person = await read_person(desk, person_id)
        if fields or expected not in {None, person.revision}:
            raise Stale(person.revision, "person")
    if ending:
        ended += await end_all(desk, person_id)
    await log_act(desk, "user.change", by, detail, about=person_id)
    return person, ended


async def read_person(desk: FrontDesk, person_id: str) -> Person:
    """Raises `NoSuch`."""
    person = await desk.people.get(person_id)
    if person is None:
        raise NoSuch("user")
    return person


async def change_password(
    desk: FrontDesk, change: PasswordChange, by: Identity, caller: Caller
) -> list[Token]:
    """Change one's own; answers the sessions that ended, which are all but the one that asks.

    Raises what `prove` does, naming `current`, and `Invalid` for the same password again.
    """
    proof = await prove(desk, by, change.current, caller, "current")
    await desk.throttle.take_back(proof.attempt)
    if change.new == change.current:
        raise Invalid({"new": "this is the password you have"})
    hashed = await asyncio.to_thread(desk.passwords.hash, change.new)
    # Also beforehand, as in `change_person`.
    ended = await end_all(desk, by.subject, "session", keep=by.token_id)
    if not await desk.people.replace_password(proof.person, hashed):
        raise NotProven("current", "the password has just been changed by another request")
    ended += await end_all(desk, by.subject, "session", keep=by.token_id)
    await log_act(desk, "user.password", by, {"ended": len(ended)}, about=by.subject)
    return ended
