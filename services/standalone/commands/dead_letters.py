"""`herald dead-letters`: look at what was parked, put it back, or throw it away with a reason."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from services.standalone.catalog import all_subscriptions
from services.standalone.complaints import fail
from services.standalone.console import console
from shared.messaging.bus import Bus, BusError
from shared.messaging.opening import open_bus
from shared.runtime.logging import configure_logging

app = typer.Typer(help="Messages that no retry could handle.", no_args_is_help=True)

Broker = Annotated[str, typer.Option("--amqp-url", envvar="HERALD_AMQP_URL", help="The broker.")]
Queue = Annotated[str | None, typer.Option(help="Only this queue, such as social.articles.")]


def _queues(queue: str | None) -> list[str]:
    known = [subscription.queue for subscription in all_subscriptions()]
    if queue is None:
        return known
    if queue not in known:
        fail(f"no queue {queue}; known: {', '.join(known)}")
    return [queue]


def _bus(amqp_url: str) -> Bus:
    if amqp_url.startswith("memory://"):
        # A bus of our own would be empty and say "0 parked" of messages that it cannot see.
        fail("memory:// lives inside `herald up`; from outside nothing of it can be seen")
    try:
        return open_bus(amqp_url)
    except ValueError as error:
        fail(str(error))


async def _each(amqp_url: str, queue: str | None, act: str, ids: set[str] | None) -> int:
    # One line says that the broker is away; each attempt to reach it need not.
    configure_logging("dead-letters", "ERROR", "console")
    queues = _queues(queue)
    bus = _bus(amqp_url)
    count = 0
    try:
        for name in queues:
            if act == "replay":
                count += await bus.replay(name, ids)
            elif act == "discard":
                count += await bus.discard(name, ids or set())
            else:
                count += await _list(bus, name)
    except BusError as error:
        fail(str(error))
    finally:
        await bus.close()
    return count


async def _list(bus: Bus, queue: str) -> int:
    letters = await bus.dead_letters(queue)
    if letters:
        table = Table(title=queue, title_justify="left")
        for column in ("id", "attempts", "failed at", "error"):
            table.add_column(column, overflow="fold")
        for letter in letters:
            at = letter.failed_at.isoformat(timespec="seconds") if letter.failed_at else ""
            table.add_row(Text(letter.id), str(letter.attempts), at, Text(letter.error))
        console.print(table)
    return len(letters)


@app.command("list")
def list_(amqp_url: Broker, queue: Queue = None) -> None:
    """Show what is parked, by queue."""
    count = asyncio.run(_each(amqp_url, queue, "list", None))
    console.print(f"{count} parked.")


@app.command()
def replay(
    amqp_url: Broker,
    queue: Queue = None,
    id: Annotated[list[str] | None, typer.Option(help="Only these ids; all if not given.")] = None,
) -> None:
    """Put parked messages back into their queues."""
    count = asyncio.run(_each(amqp_url, queue, "replay", set(id) if id else None))
    console.print(f"{count} put back.")


@app.command()
def discard(
    amqp_url: Broker,
    id: Annotated[list[str], typer.Option(help="The ids to throw away.")],
    reason: Annotated[str, typer.Option(help="Why; it is printed for the log.")],
    queue: Queue = None,
) -> None:
    """Throw parked messages away for good."""
    count = asyncio.run(_each(amqp_url, queue, "discard", set(id)))
    console.print(f"{count} discarded: {reason}", markup=False)
