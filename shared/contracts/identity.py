"""Identity events: a token dies everywhere although every service verifies it offline."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.base import EventData, Instant


class TokenRevoked(EventData):
    """Refuse the token with this id from now on; it may be forgotten after `expires_at`."""

    TYPE: ClassVar[str] = "identity.token_revoked"

    token_id: str
    expires_at: Instant
