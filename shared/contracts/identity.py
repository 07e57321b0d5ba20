"""Identity events: a token dies everywhere although every service verifies it offline."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import ClassVar

from shared.contracts.base import EventData, Instant


class Role(IntEnum):
    """What a token lets its holder do; each role may do what those below it may."""

    CONTRIBUTOR = 1
    EDITOR = 2
    CHIEF = 3
    ADMIN = 4


class Scope(StrEnum):
    """What a limited token reaches, on top of what its role allows; a full token reaches everything."""

    ARTICLES_READ = "articles:read"
    """Articles, their revisions and boards, pictures."""
    ARTICLES_WRITE = "articles:write"
    """Create, edit, submit and delete; nothing that readers see."""
    ARTICLES_PUBLISH = "articles:publish"
    """Everything that readers see: publish, schedule, correct, withdraw, retract."""
    MEDIA_WRITE = "media:write"
    CHANNELS = "channels"
    DELIVERIES = "deliveries"
    AUDIENCE = "audience"
    """Subscribers and campaigns."""
    WEBHOOKS = "webhooks"
    IMPORTS = "imports"
    """Bring articles in from elsewhere, and take them out."""
    PEOPLE = "people"
    TOKENS = "tokens"
    """Make, list and revoke tokens; never one that reaches further."""
    AUDIT_READ = "audit:read"


class TokenRevoked(EventData):
    """Refuse the token with this id from now on; it may be forgotten after `expires_at`."""

    TYPE: ClassVar[str] = "identity.token_revoked"

    token_id: str
    expires_at: Instant
