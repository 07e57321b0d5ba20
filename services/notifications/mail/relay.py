"""The relay's address out of `HERALD_SMTP_URL`. Never logged: it may hold a password."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

_STARTTLS: dict[str, bool | None] = {"auto": None, "required": True, "never": False}


@dataclass(frozen=True)
class Relay:
    """Where mail is handed over. `start_tls` None upgrades where the relay offers it."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool
    start_tls: bool | None

    @classmethod
    def parse(cls, url: str) -> Relay:
        """Read `smtp://user:password@host:port?starttls=…` or `smtps://…`. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("must look like smtp://user:password@host:port")
        if parts.path not in {"", "/"} or parts.fragment:
            raise ValueError("must end after the port")
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        start_tls = options.pop("starttls", "auto")
        if options or start_tls not in _STARTTLS:
            raise ValueError("knows one option: starttls=auto, required or never")
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if tls else 587),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            start_tls=False if tls else _STARTTLS[start_tls],
        )
