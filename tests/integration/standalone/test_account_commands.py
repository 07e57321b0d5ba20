"""`herald user` and `herald token` on a real database: what each does, and what each refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.__main__ import app
from services.publishing.app import front_desk
from services.publishing.domain.callers import caller
from services.publishing.domain.errors import BadCredentials, CodeRefused
from services.publishing.domain.people import SecondFactorBegin, SecondFactorConfirm, SignIn
from services.publishing.settings import PublishingSettings
from services.publishing.usecases import second_factor
from services.publishing.usecases.front_desk import FrontDesk
from services.publishing.usecases.sessions import sign_in
from services.standalone.mongod import Mongod
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_token
from shared.storage.client import open_client
from shared.web.identity import Identity

pytestmark = pytest.mark.integration

PASSWORD, OTHER, EMAIL = "long enough 1", "long enough 2", "ada@news.example"
HERE = caller("127.0.0.1", "test")

Run = Callable[..., Result]


@pytest.fixture
def herald(mongod: Mongod, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against a database of its own, in which Ada may sign in."""
    monkeypatch.setenv("HERALD_MONGO_URL", mongod.url)
    monkeypatch.setenv("HERALD_MONGO_PREFIX", f"cli_{new_token()[:8]}")
    monkeypatch.setenv("HERALD_SECRET_KEY", "a secret of more than thirty-two characters")
    runner = CliRunner()

    def run(*words: str, fails: bool = False) -> Result:
        result = runner.invoke(app, list(words))
        assert result.exit_code == int(fails), result.output
        assert PASSWORD not in result.output
        assert OTHER not in result.output
        return result

    run("user", "add", EMAIL, "--name", "Ada", "--role", "editor", "--password", PASSWORD)
    return run


def _at_desk(work: Callable[[FrontDesk], Any]) -> Any:
    settings = PublishingSettings()

    async def run() -> Any:
        async with open_client(settings.mongo_url) as databases:
            database = databases(f"{settings.mongo_prefix}_publishing")
            return await work(front_desk(settings, database, SystemClock()))

    return asyncio.run(run())


async def _enter(desk: FrontDesk, password: str = PASSWORD) -> str:
    return (await sign_in(desk, SignIn(email=EMAIL, password=password), HERE))[0]


async def _live(desk: FrontDesk) -> int:
    person = await desk.people.by_email(EMAIL)
    assert person is not None
    return len(await desk.tokens.live_of(person.id, datetime.now(UTC)))


def test_people_are_listed_without_secrets(herald: Run) -> None:
    shown = herald("user", "list").stdout
    for part in (EMAIL, "Ada", "editor", "off", "may sign in"):
        assert part in shown
    assert "argon2" not in shown


def test_a_new_password_ends_everything(herald: Run) -> None:
    _at_desk(_enter)
    herald("token", "create", EMAIL, "--name", "cms")
    assert _at_desk(_live) == 2
    said = herald("user", "password", EMAIL.upper(), "--password", OTHER).stdout
    assert "2 sessions and tokens ended" in said
    assert _at_desk(_live) == 0
    with pytest.raises(BadCredentials):
        _at_desk(_enter)
    _at_desk(lambda desk: _enter(desk, OTHER))


def test_a_short_password_is_refused(herald: Run) -> None:
    result = herald("user", "password", EMAIL, "--password", "short", fails=True)
    assert "error: password: " in result.stderr
    _at_desk(_enter)


def test_who_is_disabled_stays_out_until_enabled(herald: Run) -> None:
    _at_desk(_enter)
    assert "may no longer sign in; 1 sessions" in herald("user", "disable", EMAIL).stdout
    assert "disabled" in herald("user", "list").stdout
    with pytest.raises(BadCredentials):
        _at_desk(_enter)
    assert (
        "nobody signs in as" in herald("token", "create", EMAIL, "--name", "x", fails=True).stderr
    )
    herald("user", "enable", EMAIL)
    _at_desk(_enter)


def test_a_lost_second_factor_is_switched_off(herald: Run) -> None:
    async def switch_on(desk: FrontDesk) -> None:
        person = await desk.people.by_email(EMAIL)
        assert person is not None
        ada = Identity(person.id, person.name, person.role, "")
        asked = SecondFactorBegin(password=PASSWORD)
        secret, _ = await second_factor.begin(desk, asked, ada, HERE)
        code = pyotp.TOTP(secret).at(desk.clock.now())
        await second_factor.confirm(desk, SecondFactorConfirm(code=code), ada, HERE)

    _at_desk(switch_on)
    with pytest.raises(CodeRefused):
        _at_desk(_enter)
    assert "no longer needs a code" in herald("user", "totp-off", EMAIL).stdout
    assert "had no second factor" in herald("user", "totp-off", EMAIL).stdout
    _at_desk(_enter)


def test_tokens_are_made_within_scopes_listed_and_revoked(herald: Run) -> None:
    made = herald(
        *("token", "create", EMAIL, "--name", "[cms]"),
        *("--scope", "articles:read", "--scope", "media:write"),
    )
    token = made.stdout.strip()
    assert token.count(".") == 2
    listed = herald("token", "list", EMAIL).stdout
    for part in ("[cms]", "articles:read media:write", "valid"):
        assert part in listed
    assert token not in listed
    id = next(word for word in listed.split() if len(word) == 36 and word.count("-") == 4)
    assert f"[cms] ({id}) is revoked" in herald("token", "revoke", id).stdout
    assert "revoked" in herald("token", "list", EMAIL).stdout
    assert _at_desk(_live) == 0
    result = herald("token", "create", EMAIL, "--name", "x", "--scope", "nope", fails=True)
    assert "error: scopes.0: " in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("user", "password", "nobody@news.example", "--password", OTHER),
        ("user", "disable", "nobody@news.example"),
        ("user", "enable", "[/]"),
        ("user", "totp-off", "nobody@news.example"),
        ("token", "list", "nobody@news.example"),
    ],
)
def test_nobody_is_named(herald: Run, words: tuple[str, ...]) -> None:
    assert f"error: email: nobody signs in as {words[2]}" in herald(*words, fails=True).stderr


def test_a_token_that_is_not_there_is_named(herald: Run) -> None:
    assert "error: there is no such token" in herald("token", "revoke", "x", fails=True).stderr
