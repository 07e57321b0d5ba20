"""What the acts of the notifications service refuse."""

from __future__ import annotations


class NotificationsError(Exception):
    """Base of what this service raises."""


class BadLink(NotificationsError):
    """Raised when a link from a mail was not made by us, is too old, or was overtaken."""


class SubscriberExists(NotificationsError):
    """Raised when the address is subscribed already."""


class HasUnsubscribed(NotificationsError):
    """Raised when somebody else would subscribe a person again who has left by themselves."""


class WebhookExists(NotificationsError):
    """Raised when there is a webhook of this name."""
