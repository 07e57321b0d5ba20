"""The relay's address: every accepted form, and refusals that do not echo a password."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from services.notifications.mail.relay import Relay
from services.notifications.settings import NotificationsSettings


def test_every_form() -> None:
    assert Relay.parse("smtp://mail.example") == Relay(
        "mail.example", 587, None, None, tls=False, start_tls=None
    )
    assert Relay.parse("smtps://u:p%40ss@mail.example") == Relay(
        "mail.example", 465, "u", "p@ss", tls=True, start_tls=False
    )
    assert Relay.parse("smtp://127.0.0.1:2525?starttls=never").start_tls is False
    assert Relay.parse("smtp://127.0.0.1:2525/?starttls=required").start_tls is True


@pytest.mark.parametrize(
    "wrong",
    [
        "mail.example:25",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example/queue",
        "smtp://mail.example?starttls=perhaps",
        "smtp://mail.example?verify=no",
        "smtp://mail.example:99999",
    ],
)
def test_what_is_no_relay(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Relay.parse(wrong)


def test_settings_refuse_a_wrong_relay_without_showing_it() -> None:
    with pytest.raises(ValidationError) as caught:
        NotificationsSettings(
            secret_key=SecretStr("s" * 32), smtp_url=SecretStr("http://user:hunter2@mail.example")
        )
    assert "hunter2" not in str(caught.value)


def test_an_empty_secret_file_means_no_relay() -> None:
    settings = NotificationsSettings(secret_key=SecretStr("s" * 32), smtp_url=SecretStr(""))
    assert settings.smtp_url is None


@pytest.mark.parametrize(
    "wrong", ["nobody", "a b@example.org", "a@example.org\r\nBcc: x@y.example"]
)
def test_an_address_of_ours_must_be_one(wrong: str) -> None:
    with pytest.raises(ValidationError):
        NotificationsSettings(secret_key=SecretStr("s" * 32), mail_from=wrong)
