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


class NotConnectable(SocialError):
    """Raised when a channel's accounts cannot be connected by consent, or not yet; says why."""


class SettingRefused(SocialError):
    """Raised for a setting that is not the person's to state here; `field` is the setting."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class StateRefused(SocialError):
    """Raised for a state or connection that is unknown, used, too old or somebody else's; says no more than that."""


class NotConsentedYet(SocialError):
    """Raised when the person has not come back from the network, or came back with nothing; says which."""


class ChoiceRefused(SocialError):
    """Raised when what was chosen to post as is not among the choices, or taken; says why."""
