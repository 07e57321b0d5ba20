"""`herald user` and `herald token`: identities, straight in publishing's database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.table import Column, Table
from rich.text import Text

from services.publishing.app import front_desk
from services.publishing.domain.errors import PublishingError
from services.publishing.domain.people import NewPerson, NewToken, PersonChange
from services.publishing.settings import PublishingSettings
from services.publishing.usecases.front_desk import SYSTEM, FrontDesk, Person, Token
from services.publishing.usecases.people import add_person, change_person
from services.publishing.usecases.second_factor import end_for
from services.publishing.usecases.tokens import create_token, revoke_token
from services.standalone.complaints import complain, fail, settings_read
from services.standalone.console import console
from shared.runtime.clock import SystemClock
from shared.storage.client import open_client
from shared.storage.errors import StorageError
from shared.web.identity import Identity

users = typer.Typer(help="People who may sign in.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens for programs.", no_args_is_help=True)

PAGE = 100

R = TypeVar("R")
Email = Annotated[str, typer.Argument(help="What the person signs in with.")]
NewPassword = Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)]


def _at_desk(work: Callable[[FrontDesk], Awaitable[R]]) -> R:
    """Open publishing's database as the service would; errors end the command with their field."""

    with settings_read():
        settings = PublishingSettings()

    async def run() -> R:
        async with open_client(settings.mongo_url) as databases:
            database = databases(f"{settings.mongo_prefix}_publishing")
            return await work(front_desk(settings, database, SystemClock()))

    try:
        return asyncio.run(run())
    except ValidationError as error:
        for item in error.errors():
            complain(f"{'.'.join(map(str, item['loc']))}: {item['msg']}")
    except (PublishingError, StorageError) as error:
        complain(str(error))
    raise typer.Exit(1)


async def _person(desk: FrontDesk, email: str) -> Person:
    person = await desk.people.by_email(email.lower())
    if person is None:
        fail(f"email: nobody signs in as {email}")
    return person


@users.command("add")
def add_user(
    email: Email,
    name: Annotated[str, typer.Option(help="As shown in the audit log.")],
    role: Annotated[str, typer.Option(help="contributor, editor, chief or admin.")] = "contributor",
    password: NewPassword = "",
) -> None:
    """Let someone sign in."""

    async def work(desk: FrontDesk) -> None:
        new = NewPerson.model_validate(
            {"email": email, "name": name, "role": role, "password": password}
        )
        person = await add_person(desk, new, SYSTEM)
        console.print(f"{person.email} may sign in as {role}.")

    _at_desk(work)


@users.command("list")
def list_users() -> None:
    """Show everyone who may sign in, and who no longer may."""

    async def work(desk: FrontDesk) -> None:
        table, after = Table("e-mail", "name", "role", "second factor", "state"), None
        while found := await desk.people.page(after, PAGE):
            for one in found:
                table.add_row(
                    Text(one.email),
                    Text(one.name),
                    one.role.name.lower(),
                    "on" if one.second_factor else "off",
                    "disabled" if one.disabled else "may sign in",
                )
            after = found[-1].id
        console.print(table if after else "Nobody yet; see herald user add --help.")

    _at_desk(work)


def _change(email: str, said: str, **fields: Any) -> None:
    async def work(desk: FrontDesk) -> None:
        person = await _person(desk, email)
        _, ended = await change_person(desk, person.id, None, PersonChange(**fields), SYSTEM)
        console.print(f"{person.email} {said}; {len(ended)} sessions and tokens ended.")

    _at_desk(work)


@users.command("password")
def reset_password(email: Email, password: NewPassword = "") -> None:
    """Set a new password; it ends every session and token of the person."""
    _change(email, "has a new password", password=password)


@users.command()
def disable(email: Email) -> None:
    """Let someone no longer sign in; it ends every session and token of the person."""
    _change(email, "may no longer sign in", disabled=True)


@users.command()
def enable(email: Email) -> None:
    """Let someone sign in again."""
    _change(email, "may sign in again", disabled=False)


@users.command("totp-off")
def second_factor_off(email: Email) -> None:
    """Switch someone's second factor off, as when the telephone is lost."""

    async def work(desk: FrontDesk) -> None:
        person = await _person(desk, email)
        was_on = await end_for(desk, person.id, SYSTEM)
        said = "no longer needs a code" if was_on else "had no second factor"
        console.print(f"{person.email} {said}.")

    _at_desk(work)


@tokens.command("create")
def create(
    email: Annotated[str, typer.Argument(help="Whose token it is.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    days: Annotated[int, typer.Option(help="How long it lives, up to 365.")] = 90,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="Limit it, such as articles:read; give it again for more than one."),
    ] = None,
) -> None:
    """Print a new token; it is shown only now."""

    async def work(desk: FrontDesk) -> None:
        person = await desk.people.by_email(email.lower())
        if person is None or person.disabled:
            fail(f"email: nobody signs in as {email}")
        acting = Identity(person.id, person.name, person.role, "")
        limits = {"scopes": scope} if scope else {}
        new = NewToken.model_validate({"name": name, "days": days, **limits})
        token, _ = await create_token(desk, new, acting)
        typer.echo(token)

    _at_desk(work)


@tokens.command("list")
def list_tokens(
    email: Annotated[str, typer.Argument(help="Whose tokens to show.")],
) -> None:
    """Show someone's tokens, those that ended too until they would have expired."""

    async def work(desk: FrontDesk) -> None:
        person, after = await _person(desk, email), None
        now = desk.clock.now()
        table = Table(Column("id", no_wrap=True), "name", "role", "scopes", "expires", "state")
        while found := await desk.tokens.page(person.id, after, PAGE):
            for one in found:
                table.add_row(
                    one.id,
                    Text(one.name),
                    one.role.name.lower(),
                    " ".join(one.scopes) if one.scopes is not None else "all",
                    f"{one.expires_at:%Y-%m-%d}",
                    _state(one, alive=one.expires_at > now),
                )
            after = found[-1].id
        console.print(table if after else "None; see herald token create --help.")

    _at_desk(work)


def _state(token: Token, *, alive: bool) -> str:
    if token.revoked_at:
        return "revoked"
    return "valid" if alive else "expired"


@tokens.command("revoke")
def revoke(id: Annotated[str, typer.Argument(help="As herald token list shows it.")]) -> None:
    """End a token everywhere."""

    async def work(desk: FrontDesk) -> None:
        token = await revoke_token(desk, id, SYSTEM)
        console.print(Text(f"{token.name} ({token.id}) is revoked."))

    _at_desk(work)
