"""Identity events: a token dies everywhere although every service verifies it offline."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from shared.contracts.base import EventData, Instant


class Role(IntEnum):
    """What a token lets its holder do; each role may do what those below it may."""

    CONTRIBUTOR = 1
    EDITOR = 2
    CHIEF = 3
    ADMIN = 4


class TokenRevoked(EventData):
    """Refuse the token with this id from now on; it may be forgotten after `expires_at`."""

    TYPE: ClassVar[str] = "identity.token_revoked"

    token_id: str
    expires_at: Instant
