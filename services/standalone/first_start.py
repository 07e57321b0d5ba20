"""The first start makes an administrator; every start issues a token for the tools on this machine."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from services.publishing.domain.people import NewPerson, NewToken
from services.publishing.usecases.front_desk import FrontDesk
from services.publishing.usecases.people import ensure_admin
from services.publishing.usecases.tokens import create_token
from shared.contracts.identity import Role
from shared.web.identity import Identity

ADMIN_EMAIL = "admin@localhost"
TOKEN_DAYS = 30


@dataclass(frozen=True)
class Admin:
    """Who may sign in first. `password` is known only at the start that made the account."""

    email: str
    password: str | None
    token: str


async def first_admin(desk: FrontDesk) -> Admin:
    """The administrator, made if there is none, and a fresh token acting as that person."""
    password: str | None = None
    if await desk.people.by_email(ADMIN_EMAIL) is None:
        password = secrets.token_urlsafe(12)
    new = NewPerson(
        email=ADMIN_EMAIL,
        name="Administrator",
        role="admin",
        password=password or secrets.token_urlsafe(12),
    )
    person = await ensure_admin(desk, new)
    acting = Identity(person.id, person.name, Role.ADMIN, "")
    token, _ = await create_token(desk, NewToken(name="herald up", days=TOKEN_DAYS), acting)
    return Admin(person.email, password, token)
