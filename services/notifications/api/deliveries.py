"""Mail and webhook deliveries as one list, for the shared delivery routes. Adds no act of its own."""

from __future__ import annotations

from typing import Any

from shared.web.deliveries import DeliveryDesk
from shared.web.description import Tag

DELIVERIES = Tag(
    "Mail and webhook deliveries", "Each mail and each message to a partner, one by one."
)

Document = dict[str, Any]


class TwoDesks:
    """Asks the desk that keeps the delivery; a webhook's ids name its outlet."""

    def __init__(self, mail: DeliveryDesk, webhooks: DeliveryDesk) -> None:
        self._mail = mail
        self._webhooks = webhooks

    async def page(self, filters: Document, *, after: str | None, limit: int) -> list[Document]:
        mail = await self._mail.page(filters, after=after, limit=limit)
        messages = await self._webhooks.page(filters, after=after, limit=limit)
        return sorted((*mail, *messages), key=_id, reverse=True)[:limit]

    async def read(self, delivery_id: str) -> Document | None:
        return await self._desk(delivery_id).read(delivery_id)

    async def retry(self, delivery_id: str, who: str) -> Document | None:
        return await self._desk(delivery_id).retry(delivery_id, who)

    async def cancel(self, delivery_id: str, who: str) -> Document | None:
        return await self._desk(delivery_id).cancel(delivery_id, who)

    async def resolve(
        self, delivery_id: str, who: str, *, happened: bool, url: str | None
    ) -> Document | None:
        desk = self._desk(delivery_id)
        return await desk.resolve(delivery_id, who, happened=happened, url=url)

    def _desk(self, delivery_id: str) -> DeliveryDesk:
        return self._webhooks if ":webhook/" in delivery_id else self._mail


def _id(delivery: Document) -> str:
    return str(delivery["id"])
