"""Accounts with sealed credentials, and the pauses that stop them. Never hands out a secret unasked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.social.domain.errors import AccountExists, NoSuchAccount
from services.social.domain.planning import Account
from services.social.domain.policy import Policy
from shared.contracts.events import Outgoing
from shared.runtime.clock import Clock
from shared.runtime.keys import Vault
from shared.storage.client import Collection, Database
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry

EVERYTHING = "all"
"""The pause scope that stops every account; the others are a channel, an account or `article:<id>`."""


@dataclass(frozen=True)
class Pause:
    """A kill switch that is on. `scope` says how much it stops."""

    scope: str
    reason: str
    by: str
    at: datetime


def scopes(account_id: str, article_id: str | None = None) -> list[str]:
    """Every switch that would stop this account (for this article)."""
    found = [EVERYTHING, account_id.partition("/")[0], account_id]
    return [*found, f"article:{article_id}"] if article_id else found


class Accounts:
    """Connected accounts, `_id` `<channel>/<name>`."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self.collection: Collection = database["accounts"]
        self._pauses: Collection = database["pauses"]
        self._vault = vault
        self._clock = clock

    async def declare(self) -> None:
        await declare_outbox(self.collection)

    async def add(self, channel: str, name: str, settings: dict[str, Any]) -> Account:
        """Raises `AccountExists`."""
        account = Account(channel, name, self._clock.now())
        try:
            await self.collection.insert_one(
                {
                    "_id": account.id,
                    "channel": channel,
                    "name": name,
                    "sealed": self._vault.seal(settings),
                    "created_at": account.created_at,
                }
            )
        except Duplicate as error:
            raise AccountExists(account.id) from error
        return account

    async def remove(self, account_id: str) -> None:
        """Forget the account and its credentials. Raises `NoSuchAccount`."""
        if not await self.collection.delete_one({"_id": account_id}):
            raise NoSuchAccount(account_id)

    async def all(self) -> list[tuple[Account, datetime | None]]:
        """Every account and until when the network asked it to be quiet."""
        found = await self.collection.find(
            {},
            {"channel": 1, "name": 1, "created_at": 1, "quiet_until": 1, "policy": 1},
            sort=[("_id", 1)],
        )
        return [
            (
                Account(one["channel"], one["name"], one["created_at"], _policy(one)),
                one.get("quiet_until"),
            )
            for one in found
        ]

    async def policy(self, account_id: str) -> Policy:
        """What the account does about changes, read from the database now; defaults where it is gone."""
        return _policy(await self.collection.find_one({"_id": account_id}, {"policy": 1}) or {})

    async def set_policy(self, account_id: str, policy: Policy) -> None:
        """Replace it. Raises `NoSuchAccount`."""
        chosen = {"$set": {"policy": policy.model_dump(mode="json")}}
        if await self.collection.find_one_and_update({"_id": account_id}, chosen) is None:
            raise NoSuchAccount(account_id)

    async def settings(self, account_id: str) -> dict[str, Any]:
        """The decrypted settings, for the channel only. Raises `NoSuchAccount` or ValueError."""
        return (await self.opened(account_id))[0]

    async def opened(self, account_id: str) -> tuple[dict[str, Any], int]:
        """The same with the version of the credentials in them, 0 where they were entered by hand."""
        found = await self.collection.find_one(
            {"_id": account_id}, {"sealed": 1, "credentials_version": 1}
        )
        if found is None:
            raise NoSuchAccount(account_id)
        return self._vault.open(found["sealed"]), found.get("credentials_version", 0)

    async def quiet(self, account_id: str, until: datetime) -> None:
        """Leave the account alone until then; a longer quiet stays."""
        await self.collection.update_one({"_id": account_id}, {"$max": {"quiet_until": until}})

    async def pauses(self) -> list[Pause]:
        found = await self._pauses.find({}, sort=[("_id", 1)])
        return [Pause(one["_id"], one["reason"], one["by"], one["at"]) for one in found]

    async def pause_for(self, wanted: list[str]) -> Pause | None:
        """The first switch among `wanted` that is on, read from the database now."""
        found = await self._pauses.find_one({"_id": {"$in": wanted}})
        return Pause(found["_id"], found["reason"], found["by"], found["at"]) if found else None

    async def pause(self, scope: str, reason: str, by: str) -> bool:
        """Switch it off; False when it already was."""
        return await self._pauses.update_one(
            {"_id": scope},
            {"$setOnInsert": {"reason": reason, "by": by, "at": self._clock.now()}},
            upsert=True,
        )

    async def resume(self, scope: str) -> bool:
        """Switch it on again; False when it was not paused."""
        return await self._pauses.delete_one({"_id": scope})

    async def revive(self, account_id: str, by: str, reason: str) -> bool:
        """Lift the account's pause if `by` put it there, for something that begins with `reason`."""
        begins = {"$gte": reason, "$lt": f"{reason}\U0010ffff"}
        return await self._pauses.delete_one({"_id": account_id, "by": by, "reason": begins})

    async def announce(self, account_id: str, event: Outgoing) -> None:
        """Put an event into the account's outbox."""
        await self.collection.update_one(
            {"_id": account_id}, append(entry(event, self._clock.now()))
        )


def _policy(account: dict[str, Any]) -> Policy:
    return Policy.model_validate(account.get("policy") or {})
