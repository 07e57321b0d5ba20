"""The `herald` command: every command explains itself, and each wrong use ends with 1 and says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from typer.testing import CliRunner

from services.__main__ import app
from services.standalone.commands import channels

SECRET = "a secret of more than thirty-two characters"
runner = CliRunner()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever HERALD_* the developer has set must not decide."""
    import os

    for name in list(os.environ):
        if name.startswith("HERALD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


EVERY = sorted(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", EVERY, ids=lambda path: " ".join(path) or "herald")
def test_each_command_explains_itself(path: tuple[str, ...]) -> None:
    result = runner.invoke(app, [*path, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_the_promised_commands_are_there() -> None:
    promised = {
        ("up",),
        ("demo",),
        ("publish",),
        ("service",),
        ("topology",),
        *((("dead-letters", act)) for act in ("list", "replay", "discard")),
        *((("user", act)) for act in ("add", "list", "password", "disable", "enable", "totp-off")),
        *((("token", act)) for act in ("create", "list", "revoke")),
        *(
            (("channel", act))
            for act in ("add", "app", "connect", "list", "pause", "resume", "test")
        ),
    }
    assert promised <= set(EVERY)


def test_an_unknown_service_is_refused_with_the_known_ones() -> None:
    result = runner.invoke(app, ["service", "nope"])
    assert result.exit_code == 1
    assert "error: no service nope; known: publishing, social" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["service", "social"],
        ["service", "publishing"],
        ["user", "add", "a@b.example", "--name", "A", "--password", "a long enough one"],
        ["token", "create", "a@b.example", "--name", "t"],
    ],
)
def test_a_missing_secret_is_named_as_it_is_set(command: list[str]) -> None:
    result = runner.invoke(app, command)
    assert result.exit_code == 1, result.output
    assert "HERALD_SECRET_KEY: Field required" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "command", [["service", "social"], ["token", "create", "a", "--name", "t"]]
)
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HERALD_SECRET_KEY_FILE", "/no/such/file", "HERALD_SECRET_KEY_FILE: "),
        ("HERALD_SECRET_KEY", "short", "HERALD_SECRET_KEY: Value should have at least 32"),
        ("HERALD_ALLOW_PRIVATE_HOSTS", "not json", "allow_private_hosts"),
        ("HERALD_LEASE_SECONDS", "0", "HERALD_LEASE_SECONDS: "),
        ("HERALD_PORT", "70000", "HERALD_PORT: Input should be less than or equal to 65535"),
        ("HERALD_PUBLIC_URL", "[/]", "HERALD_PUBLIC_URL: "),
    ],
)
def test_a_bad_setting_is_named_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, command: list[str], variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv("HERALD_SECRET_KEY", SECRET)
    if variable == "HERALD_SECRET_KEY_FILE":
        monkeypatch.delenv("HERALD_SECRET_KEY")
    monkeypatch.setenv(variable, value)
    result = runner.invoke(app, command)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert SECRET not in result.output


@pytest.mark.parametrize("option", ["--port", "--sandbox-port"])
def test_up_refuses_a_port_that_cannot_be(option: str) -> None:
    assert runner.invoke(app, ["up", option, "65536"]).exit_code == 2


@pytest.mark.parametrize("pair", ["access_token", "", "[/]", "x y"])
def test_a_setting_pair_without_its_value_is_refused(pair: str) -> None:
    result = runner.invoke(
        app, ["channel", "add", "mastodon/main", "--token", "t", "--set", "server=s", "-s", pair]
    )
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert f"error: --set {pair}: write name=value" in result.stderr


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("3", 3),
        ("2.5", 2.5),
        ("true", True),
        ("2026.10", "2026.10"),
        ("12345e67", "12345e67"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"quoted"', '"quoted"'),
        ("null", "null"),
    ],
)
def test_a_setting_arrives_as_it_was_written(text: str, sent: Any) -> None:
    """Half of a token that looks like a number is not the token."""
    told = channels._settings([f"x={text}"])["x"]
    assert (told, type(told)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (["--token", "t\n"], "the token has a line end"),
        (["--token", "t\r\nX-Other: 1"], "the token has a line end"),
        (["--token", "t", "--url", "//herald.example"], "--url must be such as"),
        (["--token", "t", "--reason", "caf\udce9"], "not UTF-8"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(stated: list[str], said: str) -> None:
    result = runner.invoke(app, ["channel", "pause", "all", "--reason", "r", *stated])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert said in result.stderr


def test_a_broken_article_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "[b]roken.md"
    path.write_text("---\nheadline: [unclosed\n---\n")
    result = runner.invoke(app, ["publish", str(path), "--token", "t"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "[b]roken.md: " in result.stderr.replace("\n", "")


def test_an_unknown_queue_is_refused_with_the_known_ones() -> None:
    result = runner.invoke(
        app, ["dead-letters", "list", "--amqp-url", "memory://", "--queue", "[/]"]
    )
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "error: no queue [/]; known: " in result.stderr


def test_an_unknown_command_is_a_usage_error() -> None:
    assert runner.invoke(app, ["publsih"]).exit_code == 2


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["dead-letters", "list", "--amqp-url", "ftp://b"], "must start with"),
        (["topology", "--amqp-url", "ftp://b"], "must start with"),
        (["dead-letters", "replay", "--amqp-url", "memory://"], "lives inside `herald up`"),
    ],
)
def test_a_broker_that_cannot_be_asked_is_refused(command: list[str], said: str) -> None:
    result = runner.invoke(app, command)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert said in result.stderr
