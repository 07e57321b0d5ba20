"""Identifiers: UUIDv7 (RFC 9562), so that ids sort by the time they were made."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import uuid6

NewId = Callable[[], str]


def new_id() -> str:
    """A fresh UUIDv7 in its 36-character form."""
    return str(uuid6.uuid7())


def is_id(text: str) -> bool:
    """True for the 36-character form of a UUID, in lower case."""
    try:
        return str(uuid6.UUID(text)) == text
    except ValueError:
        return False


def new_token() -> str:
    """A fencing token: 16 random bytes in hex; two holders never share one."""
    return secrets.token_hex(16)
