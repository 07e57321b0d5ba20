"""The newsroom's own app at each network, sealed, and the addresses that its secret may be sent to. Never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.social.channels.oauth import App
from shared.runtime.clock import Clock
from shared.runtime.keys import Vault
from shared.storage.client import Database


@dataclass(frozen=True)
class Registered:
    """An app, and where its network answers."""

    app: App
    addresses: Mapping[str, str]
    """Settings fields with base addresses: who may change them gets the app's secret."""


class Apps:
    """One app per channel, `_id` the channel; where apps are registered, one per server, `_id` names both."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._collection = database["apps"]
        self._vault = vault
        self._clock = clock

    async def keep(self, key: str, registered: Registered) -> None:
        """In the place of an earlier one."""
        sealed: dict[str, Any] = {
            "client_id": registered.app.client_id,
            "client_secret": registered.app.client_secret,
            "addresses": dict(registered.addresses),
        }
        await self._collection.update_one(
            {"_id": key},
            {"$set": {"sealed": self._vault.seal(sealed), "kept_at": self._clock.now()}},
            upsert=True,
        )

    async def of(self, key: str) -> Registered | None:
        """Raises ValueError when the secret key is another one."""
        found = await self._collection.find_one({"_id": key})
        if found is None:
            return None
        kept: dict[str, Any] = dict(self._vault.open(found["sealed"]))
        return Registered(App(kept["client_id"], kept["client_secret"]), kept["addresses"])
