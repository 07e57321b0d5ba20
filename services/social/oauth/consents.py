"""Connections under way: who asked, what proves it, and what came back, for ten minutes. All secrets sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from services.social.oauth.proof import remembered
from shared.runtime.clock import Clock
from shared.runtime.ids import new_id
from shared.runtime.keys import Vault
from shared.storage.client import Database, Document

LIFE = timedelta(minutes=10)
"""For consenting, and again for choosing."""

Status = Literal["waiting", "asking", "granted", "failed"]


@dataclass(frozen=True)
class Consent:
    """One connection under way. `secrets` are its settings, then also what was granted."""

    id: str
    user: str
    channel: str
    name: str
    status: Status
    expires_at: datetime
    secrets: dict[str, Any]
    reason: str | None = None

    @property
    def choices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.secrets.get("choices", [])
        return found


class Consents:
    """Collection `consents`; the database forgets each when its time is over."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._collection = database["consents"]
        self._vault = vault
        self._clock = clock

    async def declare(self) -> None:
        await self._collection.create_index([("state", 1)], name="state", unique=True)
        await self._collection.create_index(
            [("expires_at", 1)], name="forgotten", expireAfterSeconds=0
        )

    async def begin(
        self, user: str, channel: str, name: str, state: str, secrets: dict[str, Any]
    ) -> Consent:
        now = self._clock.now()
        document = {
            "_id": new_id(),
            "state": remembered(state),
            "user": user,
            "channel": channel,
            "name": name,
            "status": "waiting",
            "expires_at": now + LIFE,
            "sealed": self._vault.seal(secrets),
        }
        await self._collection.insert_one(document)
        return self._opened(document)

    async def take(self, state: str) -> Consent | None:
        """The connection that this state began, once: a second time it is not there."""
        found = await self._collection.find_one_and_update(
            {
                "state": remembered(state),
                "status": "waiting",
                "expires_at": {"$gt": self._clock.now()},
            },
            {"$set": {"status": "asking"}},
        )
        return self._readable(found)

    async def grant(self, consent: Consent, secrets: dict[str, Any]) -> None:
        """Keep what was granted until somebody chooses."""
        await self._collection.update_one(
            {"_id": consent.id},
            {
                "$set": {
                    "status": "granted",
                    "sealed": self._vault.seal(secrets),
                    "expires_at": self._clock.now() + LIFE,
                }
            },
        )

    async def fail(self, consent: Consent, reason: str) -> None:
        """It came to nothing; the secrets go."""
        await self._collection.update_one(
            {"_id": consent.id},
            {
                "$set": {
                    "status": "failed",
                    "reason": reason,
                    "sealed": self._vault.seal({}),
                    "expires_at": self._clock.now() + LIFE,
                }
            },
        )

    async def of(self, id: str, user: str) -> Consent | None:
        """The connection, for the one who began it."""
        found = await self._collection.find_one(
            {"_id": id, "user": user, "expires_at": {"$gt": self._clock.now()}}
        )
        return self._readable(found)

    async def end(self, consent: Consent) -> None:
        await self._collection.delete_one({"_id": consent.id})

    def _readable(self, found: Document | None) -> Consent | None:
        """None too where it was sealed with another key: it can only be begun again."""
        try:
            return self._opened(found) if found else None
        except ValueError:
            return None

    def _opened(self, found: Document) -> Consent:
        return Consent(
            id=found["_id"],
            user=found["user"],
            channel=found["channel"],
            name=found["name"],
            status=found["status"],
            expires_at=found["expires_at"],
            secrets=dict(self._vault.open(found["sealed"])),
            reason=found.get("reason"),
        )
