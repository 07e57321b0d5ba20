"""Sessions and rate limits of the stand-in server, as the PDS keeps them. Never accepts a token twice used."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.social.channels.bluesky.fake_lexicon import Invalid

ACCESS_LIFE, REFRESH_LIFE = timedelta(hours=2), timedelta(days=90)
DID = "did:plc:newsroom2herald7fake3abc"
HANDLE = "newsroom.test"
APP_PASSWORD = "fake-fake-fake-fake"  # noqa: S105  # only of this stand-in
"""The same in every process, so that a connected account outlives a restart of the sandbox."""


class Limited(Exception):
    """A window is used up."""

    def __init__(self, window: Window) -> None:
        super().__init__("Rate Limit Exceeded")
        self.window = window


@dataclass
class Window:
    """A fixed window of points that opens with its first use."""

    capacity: int
    seconds: int
    used: int = 0
    opened: datetime = field(default=datetime.fromtimestamp(0, UTC))

    def spend(self, points: int, now: datetime) -> None:
        """Raise `Limited` when the points are gone; what was asked for counts all the same."""
        if now >= self.opened + timedelta(seconds=self.seconds):
            self.opened, self.used = now, 0
        self.used += points
        if self.used > self.capacity:
            raise Limited(self)

    @property
    def remaining(self) -> int:
        return max(self.capacity - self.used, 0)

    def headers(self) -> dict[str, str]:
        """The PDS's dialect: the reset is in epoch seconds."""
        resets = self.opened + timedelta(seconds=self.seconds)
        return {
            "ratelimit-limit": str(self.capacity),
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(int(resets.timestamp())),
            "ratelimit-policy": f"{self.capacity};w={self.seconds}",
        }


class FakeSessions:
    """One account's tokens: access lives two hours, refresh ninety days and only for one use."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.password = APP_PASSWORD
        self.created = 0
        self.refreshed = 0
        self._clock = clock
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, datetime] = {}

    def create(self, identifier: object, password: object) -> dict[str, str]:
        """Raises `PermissionError` for anything but the account's own credentials."""
        if identifier not in {HANDLE, DID} or password != self.password:
            raise PermissionError("Invalid identifier or password")
        self.created += 1
        return self._grant()

    def refresh(self, token: str) -> dict[str, str]:
        """Spend a refresh token. Raises `Invalid`."""
        if token in self._access:
            raise Invalid("Bad token scope", "InvalidToken")
        self._check(token, self._refresh)
        self._refresh[token] = self._clock()  # spent: from now on it counts as revoked
        self.refreshed += 1
        return self._grant()

    def authorise(self, token: str) -> None:
        """Raise `Invalid` unless this is a living access token."""
        self._check(token, self._access)

    def expire(self, token: str) -> None:
        """End an access token's life now."""
        self._access[token] = self._clock()

    def revoke_all(self) -> None:
        """As when the owner deletes the app password: nothing works any more."""
        self.password = secrets.token_hex(16)
        self._access.clear()
        self._refresh = {token: self._clock() for token in self._refresh}

    def _check(self, token: str, tokens: dict[str, datetime]) -> None:
        if token not in tokens:
            raise Invalid("Token could not be verified", "InvalidToken")
        if tokens[token] <= self._clock():
            raise Invalid("Token has expired", "ExpiredToken")

    def _grant(self) -> dict[str, str]:
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._access[access] = self._clock() + ACCESS_LIFE
        self._refresh[refresh] = self._clock() + REFRESH_LIFE
        return {"did": DID, "handle": HANDLE, "accessJwt": access, "refreshJwt": refresh}
