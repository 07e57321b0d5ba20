"""What the acts on people, sessions and tokens stand on: the records they keep and the ports they use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from services.publishing.domain.passwords import Passwords
from services.publishing.domain.second_factor import SecondFactor
from services.publishing.domain.throttle import Attempt
from services.publishing.usecases.ports import ActRecord, Records
from shared.contracts.identity import Role
from shared.runtime.clock import Clock
from shared.runtime.ids import NewId
from shared.runtime.keys import Vault
from shared.web.identity import Identities, Identity

Kind = Literal["session", "token"]


@dataclass(frozen=True)
class Person:
    """Someone who may sign in."""

    id: str
    email: str
    name: str
    role: Role
    password_hash: str = field(repr=False)
    disabled: bool
    created_at: datetime
    second_factor: SecondFactor | None = None
    pending_secret: bytes | None = field(default=None, repr=False)
    """Sealed; handed out, but no code has proven yet that an app has it."""
    revision: int = 1
    """Counts what an admin changes."""


@dataclass(frozen=True)
class Token:
    """A token that was issued; the token itself is kept nowhere."""

    id: str
    person: str
    name: str
    kind: Kind
    role: Role
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    address: str | None = None
    """Where a session was begun, and with what program."""
    agent: str | None = None


class People(Protocol):
    """Every change is one conditional update: of two at a time, one wins."""

    async def add(self, person: Person) -> None:
        """Raises `Conflict` naming `email`."""

    async def get(self, person_id: str) -> Person | None: ...

    async def by_email(self, email: str) -> Person | None: ...

    async def change(
        self, person_id: str, fields: dict[str, Any], expected: int | None
    ) -> Person | None:
        """None where there is nobody at the revision `expected` (None: at any)."""

    async def page(self, after: str | None, limit: int) -> Sequence[Person]: ...

    async def replace_password(self, person: Person, password_hash: str) -> bool:
        """False when it is no longer the one that `person` was read with."""

    async def offer_secret(self, person_id: str, sealed: bytes) -> bool:
        """False when a second factor is on."""

    async def begin_second_factor(self, person: Person, factor: SecondFactor) -> bool:
        """False when the pending secret is no longer the one that `person` was read with."""

    async def spend_step(self, person: Person, step: int) -> bool:
        """Use up a time step; False when it, or a newer one, was used before."""

    async def spend_recovery(self, person: Person, hashed: str) -> bool:
        """Use up a recovery code; False when there is no such code left."""

    async def end_second_factor(self, person_id: str) -> bool:
        """False when there was none."""


class Tokens(Protocol):
    async def add(self, token: Token) -> None: ...

    async def get(self, token_id: str) -> Token | None: ...

    async def page(self, person: str, after: str | None, limit: int) -> Sequence[Token]: ...

    async def sessions(
        self, person: str, now: datetime, after: str | None, limit: int
    ) -> Sequence[Token]: ...

    async def live_of(
        self, person: str, now: datetime, kind: Kind | None = None
    ) -> list[Token]: ...

    async def revoke(self, token: Token, now: datetime) -> bool:
        """Write the revocation and its event; False when it was revoked before."""


class Throttle(Protocol):
    async def begin(self, email: str, place: str, now: datetime) -> Attempt:
        """Count an attempt before anything is looked at; its `wait` says whether it may be made."""

    async def take_back(self, attempt: Attempt) -> None:
        """It was no failure: let it not count."""

    async def succeeded(self, attempt: Attempt, now: datetime) -> None:
        """Somebody is signed in: forget the pair's failures and know the place."""


@dataclass(frozen=True)
class FrontDesk:
    """Everything identity stands on."""

    people: People
    tokens: Tokens
    throttle: Throttle
    records: Records
    passwords: Passwords
    identities: Identities
    vault: Vault
    """Seals the secrets of second factors."""
    clock: Clock
    make_id: NewId
    session_lifetime: timedelta


SYSTEM = Identity("system", "Herald", Role.ADMIN, "")
"""Who acts from the command line and at first start."""
NOBODY = Identity("unknown", "Unknown", Role.CONTRIBUTOR, "")
"""Who is refused at sign-in: whoever it was, it is not known to be the person they named."""


async def end_all(
    desk: FrontDesk, person_id: str, kind: Kind | None = None, keep: str = ""
) -> list[Token]:
    """Revoke every live token of a person save `keep`; answers those that ended.

    It looks again until there are none: one that was made meanwhile ends too.
    """
    ended: list[Token] = []
    while True:
        now = desk.clock.now()
        live = [t for t in await desk.tokens.live_of(person_id, now, kind) if t.id != keep]
        if not live:
            return ended
        for token in live:
            await desk.tokens.revoke(token, now)
        ended += live


async def log_act(
    desk: FrontDesk,
    act: str,
    by: Identity,
    detail: dict[str, Any] | None = None,
    *,
    about: str | None = None,
) -> None:
    """One line of the audit log; `about` is the person whom the act concerns."""
    record = ActRecord(act, by.subject, by.name, desk.clock.now(), detail or {}, about)
    await desk.records.audit(desk.make_id(), record)
