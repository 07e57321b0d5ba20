"""Partners' webhooks with sealed secrets. Never hands out a secret but to the sender and its maker."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence

from services.notifications.domain.errors import WebhookExists
from services.notifications.domain.webhooks import Webhook
from shared.runtime.clock import Clock
from shared.runtime.ids import NewId, new_id
from shared.runtime.keys import Vault
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

SECRET_BYTES = 32


class Webhooks:
    """Webhooks, `_id` a UUIDv7, `name` unique."""

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, make_id: NewId = new_id
    ) -> None:
        self._collection: Collection = database["webhooks"]
        self._vault = vault
        self._clock = clock
        self._make_id = make_id

    async def declare(self) -> None:
        await self._collection.create_index([("name", 1)], name="name", unique=True)

    async def add(self, name: str, url: str, events: Sequence[str]) -> tuple[Webhook, str]:
        """The webhook and its fresh secret, which is shown this once. Raises `WebhookExists`."""
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        webhook = Webhook(self._make_id(), name, url, tuple(events), True, self._clock.now())
        try:
            await self._collection.insert_one(
                {
                    "_id": webhook.id,
                    "name": name,
                    "url": url,
                    "events": list(events),
                    "enabled": True,
                    "created_at": webhook.created_at,
                    "sealed": self._vault.seal({"secret": secret}),
                }
            )
        except Duplicate as error:
            raise WebhookExists(name) from error
        return webhook, secret

    async def all(self) -> list[Webhook]:
        """Every enabled webhook; there are as many as partners, so all fit in memory."""
        found = await self._collection.find({"enabled": True}, {"sealed": 0}, sort=[("_id", 1)])
        return [_webhook(document) for document in found]

    async def page(self, *, after: str | None, limit: int) -> list[Webhook]:
        """Newest first, starting below the id `after`."""
        query = {"_id": {"$lt": after}} if after else {}
        found = await self._collection.find(query, {"sealed": 0}, sort=[("_id", -1)], limit=limit)
        return [_webhook(document) for document in found]

    async def get(self, webhook_id: str) -> Webhook | None:
        found = await self._collection.find_one({"_id": webhook_id}, {"sealed": 0})
        return _webhook(found) if found else None

    async def secret(self, webhook_id: str) -> str | None:
        """For signing. Raises ValueError when it was sealed with another key."""
        found = await self._collection.find_one({"_id": webhook_id}, {"sealed": 1})
        return str(self._vault.open(found["sealed"])["secret"]) if found else None

    async def disable(self, webhook_id: str, reason: str) -> bool:
        """Stop sending to it; False when it was off already."""
        return await self._collection.update_one(
            {"_id": webhook_id, "enabled": True},
            {"$set": {"enabled": False, "disabled_reason": reason}},
        )

    async def remove(self, webhook_id: str) -> bool:
        return await self._collection.delete_one({"_id": webhook_id})


def _webhook(document: Document) -> Webhook:
    return Webhook(
        id=document["_id"],
        name=document["name"],
        url=document["url"],
        events=tuple(document["events"]),
        enabled=document["enabled"],
        created_at=document["created_at"],
        disabled_reason=document.get("disabled_reason"),
    )
