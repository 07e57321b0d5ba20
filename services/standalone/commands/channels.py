"""`herald channel`: connect, list, test, pause and resume accounts through the REST API."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

import aiohttp
import orjson
import typer
from rich.table import Table
from rich.text import Text

from services.standalone.client import ApiError, HeraldClient
from services.standalone.complaints import fail
from services.standalone.console import console

app = typer.Typer(help="Accounts on social networks.", no_args_is_help=True)

Url = Annotated[str, typer.Option("--url", envvar="HERALD_URL", help="Where Herald answers.")]
Token = Annotated[str, typer.Option("--token", envvar="HERALD_TOKEN", help="An API token.")]
Scope = Annotated[str, typer.Argument(help="<channel>/<name>, a channel, article:<id>, or all.")]
AccountId = Annotated[str, typer.Argument(help="<channel>/<name>, such as mastodon/main.")]
HERE = "http://127.0.0.1:8080"
ASK_AGAIN_SECONDS = 1.0
"""How often a connection that waits for somebody's consent is looked at."""


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(work)
    except aiohttp.InvalidURL as error:
        fail(f"{error}: not an address; --url must be such as {HERE}")
    except (ApiError, aiohttp.ClientError, OSError) as error:
        fail(str(error))


async def _call(url: str, token: str, method: str, path: str, body: Any = None) -> Any:
    async with HeraldClient(url, token) as client:
        return await client.call(method, f"/api/v1/channels{path}", body)


@app.command("list")
def list_(token: Token, url: Url = HERE) -> None:
    """Show every account and whether it may post."""
    answer = _run(_call(url, token, "GET", ""))
    table = Table("account", "state", "can")
    for item in answer["items"]:
        paused = item.get("paused")
        state = f"paused ({paused['scope']}): {paused['reason']}" if paused else "on"
        able = ", ".join(name for name, yes in item["capabilities"].items() if yes)
        table.add_row(item["id"], Text(state), able)
    console.print(table if answer["items"] else "None yet; see herald channel add --help.")


@app.command()
def add(
    account: AccountId,
    token: Token,
    setting: Annotated[
        list[str],
        typer.Option("--set", "-s", help="name=value, as the channel's README lists them."),
    ],
    url: Url = HERE,
) -> None:
    """Connect an account; its credentials are kept encrypted."""
    added = _run(_call(url, token, "POST", "", _stated(account, setting)))
    console.print(f"Connected {added['id']}. Try it: herald channel test {added['id']}")


@app.command("app")
def enter_app(
    channel: Annotated[str, typer.Argument(help="The network, such as linkedin.")],
    token: Token,
    client_id: Annotated[str, typer.Option(help="What the network calls the app.")],
    client_secret: Annotated[
        str,
        typer.Option(
            envvar="HERALD_CLIENT_SECRET",
            prompt=True,
            hide_input=True,
            help="Asked for where it is not stated, so that no history of commands keeps it.",
        ),
    ],
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="name=value, only for another address of the network."),
    ] = None,
    url: Url = HERE,
) -> None:
    """Enter the newsroom's own app at a network, once; accounts are then connected by consent."""
    settings = _settings(setting or [])
    body = {"client_id": client_id, "client_secret": client_secret, "settings": settings}
    _run(_call(url, token, "PUT", f"/oauth/apps/{channel}", body))
    console.print(f"Kept. Now connect an account: herald channel connect {channel}/main")


@app.command()
def connect(
    account: AccountId,
    token: Token,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="name=value, as the channel's README lists them."),
    ] = None,
    choice: Annotated[
        str | None,
        typer.Option(help="Which page to post as, by its id, where the consent reaches several."),
    ] = None,
    url: Url = HERE,
) -> None:
    """Connect an account by consent, or give it new credentials: prints the address to open, and waits."""
    connected = _run(_consented(url, token, _stated(account, setting or []), choice))
    console.print(f"Connected {connected['id']}. Try it: herald channel test {connected['id']}")


async def _consented(url: str, token: str, body: dict[str, Any], choice: str | None) -> Any:
    async with HeraldClient(url, token) as client:
        begun = await client.call("POST", "/api/v1/channels/oauth", body)
        console.print("Open this address in a browser, signed in there as who may post, and agree:")
        console.print(Text(begun["url"]), soft_wrap=True)
        where = f"/api/v1/channels/oauth/connections/{begun['id']}"
        seen = begun
        while seen["status"] in {"waiting", "asking"}:
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            try:
                seen = await client.call("GET", where)
            except ApiError as error:
                if error.status != 404:
                    raise
                fail("nobody agreed within ten minutes; begin again")
        if seen["status"] == "failed":
            fail(f"nothing was connected: {seen['reason']}")
        chosen = choice or _chosen(seen["choices"])
        return await client.call("POST", where, {"choice": chosen})


def _chosen(choices: list[dict[str, str]]) -> str:
    """The only one, or the one that the person at the terminal names."""
    if len(choices) == 1:
        return choices[0]["id"]
    table = Table("id", "name")
    for one in choices:
        table.add_row(Text(one["id"]), Text(one["name"]))
    console.print(table)
    answer: str = typer.prompt("Which id")
    return answer


def _stated(account: str, pairs: list[str]) -> dict[str, Any]:
    """What the API takes to connect an account."""
    channel, _, name = account.partition("/")
    return {"channel": channel, "name": name or "main", "settings": _settings(pairs)}


def _settings(pairs: list[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            fail(f"--set {pair}: write name=value")
        settings[key] = _value(value)
    return settings


def _value(text: str) -> Any:
    """Numbers and booleans as JSON writes them; everything else is text as it stands, `1.10` and `12e3` too."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    plain = isinstance(value, bool | int | float) and orjson.dumps(value).decode() == text
    return value if plain else text


@app.command()
def remove(account: AccountId, token: Token, url: Url = HERE) -> None:
    """Disconnect an account and forget its credentials; what it posted stays."""
    _run(_call(url, token, "DELETE", f"/{account}"))
    console.print(f"{account} is disconnected.")


@app.command("test")
def check(account: AccountId, token: Token, url: Url = HERE) -> None:
    """Verify the credentials without posting."""
    answer = _run(_call(url, token, "POST", f"/{account}/test"))
    if not answer["ok"]:
        fail(answer["reason"])
    console.print(f"{account} is {answer['account']}", markup=False)


@app.command()
def pause(
    scope: Scope,
    token: Token,
    reason: Annotated[str, typer.Option(help="Shown on every board.")],
    url: Url = HERE,
) -> None:
    """Stop posting to an account, a network, of one article, or everywhere."""
    if "/" in scope:
        _run(_call(url, token, "POST", f"/{scope}/pause", {"reason": reason}))
    else:
        _run(_call(url, token, "POST", "/pause", {"reason": reason, "scope": scope}))
    console.print(f"{scope} is paused.")


@app.command()
def resume(scope: Scope, token: Token, url: Url = HERE) -> None:
    """Post to it again."""
    if "/" in scope:
        _run(_call(url, token, "POST", f"/{scope}/resume"))
    else:
        _run(_call(url, token, "POST", "/resume", {"scope": scope}))
    console.print(f"{scope} posts again.")
