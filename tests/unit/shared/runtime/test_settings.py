"""Settings: `_FILE` twins, which one wins, and messages that name the variable and no secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.runtime.settings import Settings

SECRET = "s" * 40


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HERALD_"):
            monkeypatch.delenv(name)


def test_a_secret_comes_from_the_file_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "hosts").write_text('["mail.internal"]')
    monkeypatch.setenv("HERALD_SECRET_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("HERALD_ALLOW_PRIVATE_HOSTS_FILE", str(tmp_path / "hosts"))
    settings = Settings()
    assert settings.secret_key.get_secret_value() == SECRET
    assert settings.allow_private_hosts == ("mail.internal",)


def test_the_plain_variable_wins_even_over_a_file_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERALD_SECRET_KEY", SECRET)
    monkeypatch.setenv("HERALD_SECRET_KEY_FILE", str(tmp_path / "gone"))
    assert Settings().secret_key.get_secret_value() == SECRET


def test_an_argument_wins_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERALD_PORT", "1")
    assert Settings(secret_key=SECRET, port=2).port == 2


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("HERALD_SECRET_KEY_FILE", str(path))
    with pytest.raises(ValueError, match="HERALD_SECRET_KEY_FILE: "):
        Settings()


def test_a_refused_secret_is_not_repeated_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERALD_SECRET_KEY", "too-short-to-be-safe")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "secret_key" in str(caught.value)
    assert "too-short" not in str(caught.value)
    assert SECRET not in repr(Settings(secret_key=SECRET))


@pytest.mark.parametrize("name", ["public_url", "internal_url"])
def test_origins_are_absolute_and_end_without_a_slash(name: str) -> None:
    assert getattr(Settings(secret_key=SECRET, **{name: "https://a.example/"}), name) == (
        "https://a.example"
    )
    with pytest.raises(ValidationError, match="http://"):
        Settings(secret_key=SECRET, **{name: "a.example"})


def test_services_reach_the_origin_inside_where_one_is_set() -> None:
    plain = Settings(secret_key=SECRET, public_url="https://a.example")
    assert plain.origin == "https://a.example"
    inside = Settings(secret_key=SECRET, internal_url="http://caddy")
    assert inside.origin == "http://caddy"
