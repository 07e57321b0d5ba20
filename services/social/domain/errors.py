"""What the acts of the social service refuse."""

from __future__ import annotations


class SocialError(Exception):
    """Base of what this service raises."""


class UnknownChannel(SocialError):
    """Raised when no channel folder has this name."""


class AccountExists(SocialError):
    """Raised when the channel already has an account of this name."""


class NoSuchAccount(SocialError):
    """Raised when there is no such account."""
