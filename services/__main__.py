"""The `herald` command: start it, publish through it, look after it. Each command says what it did."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.live import Live

from services.standalone.commands import accounts, channels, dead_letters, transfer
from services.standalone.complaints import fail, settings_read
from services.standalone.console import console

app = typer.Typer(
    help="Herald: publish once, seen everywhere, corrected and taken back everywhere.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(accounts.users, name="user")
app.add_typer(accounts.tokens, name="token")
app.add_typer(channels.app, name="channel")
app.add_typer(dead_letters.app, name="dead-letters")

app.command("import")(transfer.import_)
app.command("export")(transfer.export)

Url = Annotated[str, typer.Option("--url", envvar="HERALD_URL", help="Where Herald answers.")]
Token = Annotated[
    str,
    typer.Option("--token", envvar="HERALD_TOKEN", help="An API token (`herald token create`)."),
]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@app.command()
def up(
    data: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("var"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="HTTP port; 0 for any free one.")
    ] = 8080,
    sandbox_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the stand-in networks; 0 for any.")
    ] = 8090,
    sandbox: Annotated[bool, typer.Option(help="Serve the stand-in networks too.")] = True,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write address, token and pid here once ready (JSON).")
    ] = None,
    mongo_url: Annotated[
        str | None,
        typer.Option(envvar="HERALD_MONGO_URL", help="A replica set; our own mongod if unset."),
    ] = None,
) -> None:
    """Run everything in one process, until Ctrl+C."""
    from services.standalone.stack import Options, Stack
    from shared.runtime.logging import configure_logging
    from shared.runtime.tracing import configure_tracing
    from shared.storage.errors import StorageError

    configure_logging("herald", "INFO", "console" if sys.stderr.isatty() else "json")
    configure_tracing()

    async def serve() -> None:
        if ready_file:
            ready_file.unlink(missing_ok=True)  # of a start that was killed; nobody may wait on it
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        options = Options(
            data=data,
            port=port,
            sandbox_port=sandbox_port if sandbox else None,
            mongo_url=mongo_url,
        )
        async with Stack(options) as stack:
            ready = stack.ready
            if ready is None:
                raise RuntimeError("the stack did not start")
            console.print(f"Herald is up at [bold]{ready.url}[/]")
            if ready.sandbox_url:
                console.print(f"Stand-in networks: {ready.sandbox_url}")
            if not ready.relay:
                console.print(f"Mail lands as files in {ready.mail_dir}", soft_wrap=True)
            if ready.admin_password:
                console.print("\nFirst start. An administrator was created; sign in with")
                console.print(f"  e-mail    {ready.admin_email}")
                console.print(f"  password  {ready.admin_password}   (shown only now)")
                console.print(
                    f"  curl -X POST {ready.url}/api/v1/sessions -H 'Content-Type: application/json'"
                    f' -d \'{{"email": "{ready.admin_email}", "password": "..."}}\'\n',
                    soft_wrap=True,  # it is there to be copied
                )
            if ready_file:
                ready.write(ready_file)
            await stopping.wait()
            console.print("Stopping.")

    with settings_read():
        try:
            run(serve())
        except (RuntimeError, OSError, StorageError) as error:
            fail(str(error))


@app.command()
def demo(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
    distributed: Annotated[
        bool, typer.Option(help="Each service its own process, over a private RabbitMQ and mongod.")
    ] = False,
    probes: Annotated[
        int | None,
        typer.Option(help="Extra short articles for the latency figure; 20 when distributed."),
    ] = None,
) -> None:
    """Publish the examples, correct one, retract one, and ask the receiving side what arrived."""
    from services.standalone.demo.run import embedded
    from services.standalone.distributed import distributed_demo
    from shared.runtime.logging import configure_logging
    from shared.runtime.tracing import configure_tracing

    configure_logging("demo", "WARNING", "console")
    configure_tracing()
    work = (
        distributed_demo(json_file, console, 20 if probes is None else probes)
        if distributed
        else embedded(json_file, console, probes or 0)
    )
    raise typer.Exit(0 if run(work) else 1)


@app.command()
def service(name: Annotated[str, typer.Argument(help="publishing, social, ...")]) -> None:
    """Run one service; its settings come from HERALD_* variables."""
    from services.standalone.catalog import entry
    from services.standalone.single import run_service

    try:
        found = entry(name)
    except KeyError as error:
        fail(str(error.args[0]))
    run_service(found)


@app.command()
def ready(
    port: Annotated[int, typer.Option(envvar="HERALD_PORT", help="The service's port.")] = 8080,
) -> None:
    """Exit 0 when the service on this machine is ready (container health checks)."""
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=4) as answer:
            console.print(answer.read().decode())
    except urllib.error.HTTPError as error:
        fail(error.read().decode())
    except OSError as error:
        fail(str(error))


@app.command()
def topology(
    amqp_url: Annotated[str, typer.Option(envvar="HERALD_AMQP_URL", help="The broker.")],
    wait: Annotated[float, typer.Option(help="Seconds to wait for the broker.")] = 60.0,
) -> None:
    """Declare every queue of every service; run it before anything publishes."""
    from services.standalone.catalog import all_subscriptions
    from services.standalone.declare import declare_all

    try:
        run(declare_all(amqp_url, wait))
    except (TimeoutError, ValueError) as error:
        fail(str(error))
    console.print(f"{len(all_subscriptions())} queues are declared.")


@app.command()
def publish(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Markdown with front matter.")
    ],
    token: Token,
    url: Url = "http://127.0.0.1:8080",
    timeout: Annotated[float, typer.Option(help="Seconds to watch the fan-out.")] = 60.0,
) -> None:
    """Create an article from FILE, publish it, and watch it reach every outlet."""
    from services.standalone.client import ApiError, BadFile, HeraldClient
    from services.standalone.demo.show import board_table

    async def work() -> bool:
        async with HeraldClient(url, token) as client:
            article = await client.publish_file(file)
            settled = False
            with Live(console=console, refresh_per_second=10) as live:
                async for board in client.boards(article["id"], timeout_seconds=timeout):
                    live.update(board_table(article["headline"], board["items"]))
                    settled = board["settled"]
            if not console.is_terminal:
                console.print()  # Live ends its last line only on a terminal
            console.print(article["url"], soft_wrap=True)
            return settled

    import aiohttp

    try:
        settled = run(work())
    except (ApiError, BadFile) as error:
        fail(str(error))
    except (aiohttp.ClientError, OSError) as error:
        fail(f"{url}: {error}")
    if not settled:
        fail(f"not settled after {timeout:g} s; the board goes on at {url}/api/v1/articles")


if __name__ == "__main__":
    app()
