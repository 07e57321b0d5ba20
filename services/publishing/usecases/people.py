"""People, sign-ins and tokens: who may act, until when, and how that ends at once everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from services.publishing.domain.errors import (
    BadCredentials,
    Invalid,
    NoSuch,
    NotAllowed,
    Throttled,
)
from services.publishing.domain.passwords import Passwords
from services.publishing.domain.people import NewPerson, NewToken, PersonChange, SignIn
from services.publishing.usecases.ports import ActRecord, Records
from shared.contracts.identity import Role
from shared.runtime.clock import Clock
from shared.runtime.ids import NewId
from shared.web.identity import Identities, Identity


@dataclass(frozen=True)
class Person:
    """Someone who may sign in."""

    id: str
    email: str
    name: str
    role: Role
    password_hash: str
    disabled: bool
    created_at: datetime


@dataclass(frozen=True)
class Token:
    """A token that was issued; the token itself is kept nowhere."""

    id: str
    person: str
    name: str
    kind: str
    """`session` or `token`."""
    role: Role
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class People(Protocol):
    async def add(self, person: Person) -> None:
        """Raises `Conflict` naming `email`."""

    async def get(self, person_id: str) -> Person | None: ...

    async def by_email(self, email: str) -> Person | None: ...

    async def change(self, person_id: str, fields: dict[str, Any]) -> Person | None: ...

    async def page(self, after: str | None, limit: int) -> Sequence[Person]: ...


class Tokens(Protocol):
    async def add(self, token: Token) -> None: ...

    async def get(self, token_id: str) -> Token | None: ...

    async def page(self, person: str, after: str | None, limit: int) -> Sequence[Token]: ...

    async def live_of(self, person: str, now: datetime) -> list[Token]: ...

    async def revoke(self, token: Token, now: datetime) -> bool:
        """Write the revocation and its event; False when it was revoked before."""


class Throttle(Protocol):
    async def begin(self, email: str, address: str, now: datetime) -> int:
        """Count an attempt; answers the seconds to wait, 0 when it may be made."""

    async def succeeded(self, email: str, address: str) -> None: ...


@dataclass(frozen=True)
class FrontDesk:
    """Everything identity stands on."""

    people: People
    tokens: Tokens
    throttle: Throttle
    records: Records
    passwords: Passwords
    identities: Identities
    clock: Clock
    make_id: NewId
    session_lifetime: timedelta


SYSTEM = Identity("system", "Herald", Role.ADMIN, "")
"""Who acts from the command line and at first start."""


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
    await _log(desk, "user.add", by, {"user": person.id, "email": new.email, "role": new.role})
    return person


async def ensure_admin(desk: FrontDesk, new: NewPerson) -> Person:
    """The person with this e-mail, made now if there is none (first start of `herald up`)."""
    found = await desk.people.by_email(new.email)
    return found or await add_person(desk, new, SYSTEM)


async def change_person(
    desk: FrontDesk, person_id: str, change: PersonChange, by: Identity
) -> tuple[Person, list[Token]]:
    """The person afterwards and the tokens that ended with it. Raises `NoSuch` or `NotAllowed`."""
    fields = change.model_dump(exclude_unset=True)
    if person_id == by.subject and {"role", "disabled"} & set(fields):
        raise NotAllowed("nobody changes their own role or locks themselves out")
    person = await (desk.people.change(person_id, fields) if fields else desk.people.get(person_id))
    if person is None:
        raise NoSuch("user")
    ended: list[Token] = []
    if {"role", "disabled"} & set(fields):
        for token in await desk.tokens.live_of(person_id, desk.clock.now()):
            await desk.tokens.revoke(token, desk.clock.now())
            ended.append(token)
    await _log(desk, "user.change", by, {"user": person_id, **fields})
    return person, ended


async def sign_in(desk: FrontDesk, credentials: SignIn, address: str) -> tuple[str, Token]:
    """A session. Raises `Throttled`, or `BadCredentials` alike for every reason."""
    email, now = credentials.email.strip().lower(), desk.clock.now()
    wait = await desk.throttle.begin(email, address, now)
    if wait:
        raise Throttled(wait)
    person = await desk.people.by_email(email)
    stored = person.password_hash if person else None
    right = await asyncio.to_thread(desk.passwords.verify, stored, credentials.password)
    if person is None or not right or person.disabled:
        raise BadCredentials("the e-mail or the password is wrong")
    await desk.throttle.succeeded(email, address)
    token, issued = await _issue(
        desk, person.id, person.name, person.role, "session", "session", desk.session_lifetime
    )
    if await _outlived(desk, issued):
        raise BadCredentials("the e-mail or the password is wrong")
    await _log(desk, "session.begin", Identity(person.id, person.name, person.role, issued.id))
    return token, issued


async def create_token(desk: FrontDesk, new: NewToken, by: Identity) -> tuple[str, Token]:
    """A token acting as its maker.

    Raises `Invalid` for more than the maker's own role, `NotAllowed` when that role has just ended.
    """
    role = Role[new.role.upper()] if new.role else by.role
    if role > by.role:
        raise Invalid({"role": f"yours is {by.role.name.lower()}; a token cannot have more"})
    token, issued = await _issue(
        desk, by.subject, by.name, role, "token", new.name, timedelta(days=new.days)
    )
    if await _outlived(desk, issued):
        raise NotAllowed("your account has just been changed; sign in again")
    detail = {"token": issued.id, "name": new.name, "role": role.name.lower()}
    await _log(desk, "token.create", by, detail)
    return token, issued


async def revoke_token(desk: FrontDesk, token_id: str, by: Identity) -> Token:
    """End a token of one's own, or as admin anybody's. Again changes nothing. Raises `NoSuch`."""
    token = await desk.tokens.get(token_id)
    if token is None or (token.person != by.subject and by.role < Role.ADMIN):
        raise NoSuch("token")
    now = desk.clock.now()
    if await desk.tokens.revoke(token, now):
        await _log(desk, f"{token.kind}.revoke", by, {"token": token.id, "name": token.name})
    return replace(token, revoked_at=token.revoked_at or now)


async def _issue(
    desk: FrontDesk,
    person: str,
    name: str,
    role: Role,
    kind: str,
    label: str,
    lifetime: timedelta,
) -> tuple[str, Token]:
    token, token_id, expires = desk.identities.issue(person, name, role, lifetime)
    issued = Token(token_id, person, label, kind, role, desk.clock.now(), expires)
    await desk.tokens.add(issued)
    return token, issued


async def _outlived(desk: FrontDesk, issued: Token) -> bool:
    """Whether the person was disabled or lost the role while this token was made; then it is dead.

    `change_person` writes the change before it lists the tokens to end, and a token is stored before
    the person is read here, so one of the two always sees the other.
    """
    person = await desk.people.get(issued.person)
    if person is None or not (person.disabled or person.role < issued.role):
        return False
    await desk.tokens.revoke(issued, desk.clock.now())
    return True


async def _log(
    desk: FrontDesk, act: str, by: Identity, detail: dict[str, Any] | None = None
) -> None:
    record = ActRecord(act, by.subject, by.name, desk.clock.now(), detail or {})
    await desk.records.audit(desk.make_id(), record)
