"""`herald user` and `herald token`: identities, straight in publishing's database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from services.publishing.app import front_desk
from services.publishing.domain.errors import PublishingError
from services.publishing.domain.people import NewPerson, NewToken
from services.publishing.settings import PublishingSettings
from services.publishing.usecases.people import SYSTEM, FrontDesk, add_person, create_token
from services.standalone.complaints import complain, fail, settings_read
from shared.runtime.clock import SystemClock
from shared.storage.client import open_client
from shared.storage.errors import StorageError
from shared.web.identity import Identity

users = typer.Typer(help="People who may sign in.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens for programs.", no_args_is_help=True)
console = Console(highlight=False)

R = TypeVar("R")


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


@users.command("add")
def add_user(
    email: Annotated[str, typer.Argument(help="What the person signs in with.")],
    name: Annotated[str, typer.Option(help="As shown in the audit log.")],
    role: Annotated[str, typer.Option(help="contributor, editor, chief or admin.")] = "contributor",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)
    ] = "",
) -> None:
    """Let someone sign in."""

    async def work(desk: FrontDesk) -> None:
        new = NewPerson.model_validate(
            {"email": email, "name": name, "role": role, "password": password}
        )
        person = await add_person(desk, new, SYSTEM)
        console.print(f"{person.email} may sign in as {role}.")

    _at_desk(work)


@tokens.command("create")
def create(
    email: Annotated[str, typer.Argument(help="Whose token it is.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    days: Annotated[int, typer.Option(help="How long it lives, up to 365.")] = 90,
) -> None:
    """Print a new token; it is shown only now."""

    async def work(desk: FrontDesk) -> None:
        person = await desk.people.by_email(email.lower())
        if person is None or person.disabled:
            fail(f"email: nobody signs in as {email}")
        acting = Identity(person.id, person.name, person.role, "")
        token, _ = await create_token(desk, NewToken(name=name, days=days), acting)
        typer.echo(token)

    _at_desk(work)
