"""Signing in and out: who gets a session, which there are, and how they end everywhere at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.publishing.domain.callers import Caller
from services.publishing.domain.errors import BadCredentials, CodeRefused, NoSuch, NotAllowed
from services.publishing.domain.people import SignIn
from services.publishing.usecases.front_desk import FrontDesk, Token, end_all, log_act
from services.publishing.usecases.proof import counted, has_password, refuse, spend_code
from services.publishing.usecases.tokens import issue
from shared.contracts.identity import Role
from shared.web.identity import Identity

WRONG = "the e-mail or the password is wrong"


async def sign_in(desk: FrontDesk, credentials: SignIn, caller: Caller) -> tuple[str, Token]:
    """A session.

    Raises `Throttled`; `BadCredentials` alike for every reason; and only after the right password
    `CodeRefused`, so that nobody else learns who has a second factor.
    """
    email = credentials.email.strip().lower()
    attempt = await counted(desk, email, caller)
    person = await desk.people.by_email(email)
    right = await has_password(desk, person, credentials.password)
    if person is None or not right or person.disabled:
        wrong = "disabled" if person and right else "password"
        await refuse(desk, "session.refuse", person, caller, wrong)
        raise BadCredentials(WRONG)
    detail = {"address": caller.address}
    if person.second_factor:
        if credentials.code is None:
            await desk.throttle.take_back(attempt)
            raise CodeRefused("enter the code from your authenticator app")
        kind = await spend_code(desk, person, person.second_factor, credentials.code)
        if kind is None:
            await refuse(desk, "session.refuse", person, caller, "code")
            raise CodeRefused("the code is wrong, too old, or was used before")
        detail["second_factor"] = kind
    token, issued = await issue(
        desk,
        Identity(person.id, person.name, person.role, ""),
        "session",
        "session",
        desk.session_lifetime,
        caller=caller,
    )
    # Whoever changes the person writes that before listing what ends with it, and the session was
    # stored before the person is read again here: one of the two always sees the other.
    now = await desk.people.get(person.id)
    if (
        now is None
        or now.disabled
        or (now.role, now.password_hash)
        != (
            person.role,
            person.password_hash,
        )
    ):
        await desk.tokens.revoke(issued, desk.clock.now())
        raise BadCredentials(WRONG)
    await desk.throttle.succeeded(attempt, desk.clock.now())
    who = Identity(person.id, person.name, person.role, issued.id)
    await log_act(desk, "session.begin", who, detail, about=person.id)
    return token, issued


async def list_sessions(
    desk: FrontDesk, of: str | None, by: Identity, after: str | None, limit: int
) -> Sequence[Token]:
    """Live sessions, newest first: one's own, or as admin those of the person `of`."""
    if of not in {None, by.subject} and by.role < Role.ADMIN:
        raise NotAllowed("only an admin sees where others are signed in")
    return await desk.tokens.sessions(of or by.subject, desk.clock.now(), after, limit)


async def end_session(desk: FrontDesk, session_id: str, by: Identity) -> Token:
    """End a session of one's own, or as admin anybody's. Again changes nothing. Raises `NoSuch`."""
    session = await desk.tokens.get(session_id)
    own = session is not None and session.person == by.subject
    if session is None or session.kind != "session" or not (own or by.role >= Role.ADMIN):
        raise NoSuch("session")
    return await _end(desk, session, by)


async def sign_out(desk: FrontDesk, by: Identity) -> Token:
    """End what was used to ask, session or token. Raises `NoSuch` when it was never stored."""
    token = await desk.tokens.get(by.token_id)
    if token is None:
        raise NoSuch("token")
    return await _end(desk, token, by)


async def _end(desk: FrontDesk, token: Token, by: Identity) -> Token:
    now = desk.clock.now()
    if await desk.tokens.revoke(token, now):
        detail = {"token": token.id, "name": token.name}
        await log_act(desk, f"{token.kind}.revoke", by, detail, about=token.person)
    return replace(token, revoked_at=token.revoked_at or now)


async def end_sessions(
    desk: FrontDesk, person_id: str, by: Identity, *, keep: str = ""
) -> list[Token]:
    """Sign a person out everywhere, save of the session `keep`. Tokens of programs live on.

    Raises `NotAllowed` for another person unless `by` is admin, `NoSuch` for nobody.
    """
    if person_id != by.subject:
        if by.role < Role.ADMIN:
            raise NotAllowed("only an admin signs others out")
        if await desk.people.get(person_id) is None:
            raise NoSuch("user")
    ended = await end_all(desk, person_id, "session", keep)
    await log_act(desk, "session.revoke_all", by, {"ended": len(ended)}, about=person_id)
    return ended
