"""The signed links in mails: who may confirm or leave what. A link carries no more than it must."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.notifications.domain.errors import BadLink
from shared.runtime.ids import is_id
from shared.runtime.keys import KeyRing

CONFIRM_DAYS = 7
MAX_TOKEN = 200

_CONFIRM = "confirm subscription"
_LEAVE = "unsubscribe"


@dataclass(frozen=True)
class ConfirmLink:
    """A proof that this subscriber's mailbox got our mail. `issued_at` has whole seconds."""

    subscriber_id: str
    issued_at: datetime


@dataclass(frozen=True)
class LeaveLink:
    """The right to take this subscriber off this list; it never expires (RFC 8058)."""

    subscriber_id: str
    list_name: str


class Links:
    """Makes and checks tokens, and the addresses that carry them."""

    def __init__(self, keys: KeyRing, public_url: str) -> None:
        self._keys = keys
        self._root = f"{public_url}/api/v1/subscriptions"

    def confirm_url(self, link: ConfirmLink) -> str:
        parts = (link.subscriber_id, str(int(link.issued_at.timestamp())))
        return f"{self._root}/confirm?t={self._token(_CONFIRM, parts)}"

    def leave_url(self, link: LeaveLink) -> str:
        return f"{self._root}/unsubscribe?t={self._token(_LEAVE, (link.subscriber_id, link.list_name))}"

    def read_confirm(self, token: str, now: datetime) -> ConfirmLink:
        """Raises `BadLink` when forged or older than seven days."""
        subscriber_id, seconds = self._parts(_CONFIRM, token)
        issued_at = datetime.fromtimestamp(int(seconds), UTC)
        if now - issued_at > timedelta(days=CONFIRM_DAYS):
            raise BadLink("the link is older than seven days; please sign up again")
        return ConfirmLink(subscriber_id, issued_at)

    def read_leave(self, token: str) -> LeaveLink:
        """Raises `BadLink` when forged."""
        return LeaveLink(*self._parts(_LEAVE, token))

    def _token(self, purpose: str, parts: tuple[str, str]) -> str:
        return ".".join((*parts, self._keys.sign(purpose, *parts)))

    def _parts(self, purpose: str, token: str) -> tuple[str, str]:
        parts = token.split(".")
        if len(token) > MAX_TOKEN or len(parts) != 3:
            raise BadLink("the link is not complete")
        subject, detail, signature = parts
        if not self._keys.verify(purpose, signature, subject, detail) or not is_id(subject):
            raise BadLink("the link is not one of ours")
        return subject, detail
