"""How the `herald` command says what is wrong: in words on stderr, with status 1. Never prints a value it was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.text import Text

from shared.runtime.settings import PREFIX

errors = Console(stderr=True, highlight=False)


def complain(text: str) -> None:
    """One thing that is wrong; brackets in it are text, not markup."""
    errors.print(Text.assemble(("error:", "red"), " ", text), soft_wrap=True)


def fail(text: str) -> NoReturn:
    """Say it and end the command with 1."""
    complain(text)
    raise typer.Exit(1)


@contextmanager
def settings_read() -> Iterator[None]:
    """Around the reading of settings: a wrong one is named as the variable that sets it."""
    try:
        yield
    except ValidationError as error:
        for item in error.errors(include_input=False, include_context=False):
            name = str(item["loc"][0]).upper() if item["loc"] else ""
            complain(f"{PREFIX}{name}: {item['msg']}")
        raise typer.Exit(1) from error
    except SettingsError as error:
        fail(str(error))
