"""Tokens for programs: made by a person, reaching no further than that person, ended at any time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from services.publishing.domain.callers import Caller
from services.publishing.domain.errors import Invalid, NoSuch, NotAllowed
from services.publishing.domain.people import NewToken
from services.publishing.usecases.front_desk import FrontDesk, Kind, Token, log_act
from shared.contracts.identity import Role
from shared.web.identity import Identity


async def create_token(desk: FrontDesk, new: NewToken, by: Identity) -> tuple[str, Token]:
    """A token acting as its maker.

    Raises `Invalid` for more than the maker's own role or scopes, `NotAllowed` when the maker's
    role or token has just ended.
    """
    role = Role[new.role.upper()] if new.role else by.role
    if role > by.role:
        raise Invalid({"role": f"yours is {by.role.name.lower()}; a token cannot have more"})
    scopes = _scopes(new, by)
    maker = Identity(by.subject, by.name, role, by.token_id)
    token, issued = await issue(desk, maker, "token", new.name, timedelta(days=new.days), scopes)
    if await _outlived(desk, issued, by.token_id):
        raise NotAllowed("your account has just been changed; sign in again")
    detail = {"token": issued.id, "name": new.name, "role": role.name.lower()}
    if scopes is not None:
        detail["scopes"] = " ".join(scopes)
    await log_act(desk, "token.create", by, detail, about=by.subject)
    return token, issued


def _scopes(new: NewToken, by: Identity) -> tuple[str, ...] | None:
    """What the token is limited to: a limited maker's token is never wider than the maker's."""
    if new.scopes is None:
        return None if by.scopes is None else tuple(sorted(by.scopes))
    wanted = {scope.value for scope in new.scopes}
    if by.scopes is not None and wanted - by.scopes:
        missing = ", ".join(sorted(wanted - by.scopes))
        raise Invalid({"scopes": f"your own token does not have {missing}"})
    return tuple(sorted(wanted))


async def revoke_token(desk: FrontDesk, token_id: str, by: Identity) -> Token:
    """End a token of one's own, or as admin anybody's. Again changes nothing. Raises `NoSuch`."""
    token = await desk.tokens.get(token_id)
    own = token is not None and token.person == by.subject
    if token is None or token.kind != "token" or not (own or by.role >= Role.ADMIN):
        raise NoSuch("token")
    now = desk.clock.now()
    if await desk.tokens.revoke(token, now):
        detail = {"token": token.id, "name": token.name}
        await log_act(desk, "token.revoke", by, detail, about=token.person)
    return replace(token, revoked_at=token.revoked_at or now)


async def issue(
    desk: FrontDesk,
    to: Identity,
    kind: Kind,
    label: str,
    lifetime: timedelta,
    scopes: Iterable[str] | None = None,
    caller: Caller | None = None,
) -> tuple[str, Token]:
    """A signed token and its record, stored."""
    kept = None if scopes is None else tuple(scopes)
    token, token_id, expires = desk.identities.issue(to.subject, to.name, to.role, lifetime, kept)
    issued = Token(
        id=token_id,
        person=to.subject,
        name=label,
        kind=kind,
        role=to.role,
        created_at=desk.clock.now(),
        expires_at=expires,
        scopes=kept,
        address=caller.address if caller else None,
        agent=caller.agent if caller else None,
    )
    await desk.tokens.add(issued)
    return token, issued


async def _outlived(desk: FrontDesk, issued: Token, maker_id: str) -> bool:
    """Whether the person was disabled, lost the role, or had everything ended while this was made.

    A change of the person is written before the tokens to end are listed, they are listed again
    until none is left, and this token was stored before both reads here: one always sees the other.
    """
    person = await desk.people.get(issued.person)
    lost = person is not None and (person.disabled or person.role < issued.role)
    maker = await desk.tokens.get(maker_id)
    if not lost and (maker is None or maker.revoked_at is None):
        return False
    await desk.tokens.revoke(issued, desk.clock.now())
    return True
