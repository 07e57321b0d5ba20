"""Settings of the notifications service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from services.notifications.domain.addresses import MAILBOX
from services.notifications.mail.relay import Relay
from shared.runtime.settings import Settings


class NotificationsSettings(Settings):
    """Beside the shared ones."""

    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:port?starttls=auto|required|never` or `smtps://…`; files when unset."""
    mail_from: str = "herald@localhost"
    """The address in From; its domain is also that of List-Id and Message-ID."""
    bounce_address: str | None = None
    """The envelope sender, where bounces go; `mail_from` when unset."""
    mail_dir: Path | None = None
    """Where mails are written when there is no relay; `data_dir`/mail when unset."""
    operator_email: str | None = None
    """Where operator alerts are mailed; only logged when unset."""
    mail_concurrency: int = Field(default=8, ge=1, le=64)
    """Mails under way at a time in one process; each has a connection of its own."""
    webhook_concurrency: int = Field(default=8, ge=1, le=64)
    """Webhook requests under way at a time in one process."""
    alert_lateness_hours: float = Field(default=6.0, gt=0)
    """An alert not begun this long after publication is `missed`, never a surprise."""

    @field_validator("smtp_url")
    @classmethod
    def _relay(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None  # an empty secret file says that there is no relay
        Relay.parse(value.get_secret_value())
        return value

    @field_validator("mail_from", "bounce_address", "operator_email")
    @classmethod
    def _mailbox(cls, value: str | None) -> str | None:
        if value is not None and not MAILBOX.fullmatch(value):
            raise ValueError("must be an address such as news@example.org")
        return value
