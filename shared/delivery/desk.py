"""The ledger as people see it: plain documents, and the acts of a person on one delivery by its id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from shared.delivery.ledger import Ledger
from shared.delivery.model import Delivery, Document
from shared.delivery.resolution import cancel, resolve, retry


class Desk:
    """What `shared.web.deliveries` serves; every act wakes the worker."""

    def __init__(self, ledger: Ledger, wake_worker: Callable[[], None]) -> None:
        self._ledger = ledger
        self._wake_worker = wake_worker

    async def page(self, filters: Document, *, after: str | None, limit: int) -> list[Document]:
        """Newest id first. `filters` are state, article_id and outlet."""
        found = await self._ledger.page(filters, after=after, limit=limit)
        return [shown(delivery) for delivery in found]

    async def read(self, delivery_id: str) -> Document | None:
        """One delivery with its frozen payload; None where there is no such id."""
        delivery = await self._ledger.get(delivery_id)
        return {**shown(delivery), "payload": delivery.payload} if delivery else None

    async def retry(self, delivery_id: str, who: str) -> Document | None:
        return await self._act(delivery_id, lambda one: retry(self._ledger, one, who))

    async def cancel(self, delivery_id: str, who: str) -> Document | None:
        return await self._act(delivery_id, lambda one: cancel(self._ledger, one, who))

    async def resolve(
        self, delivery_id: str, who: str, *, happened: bool, url: str | None
    ) -> Document | None:
        return await self._act(
            delivery_id,
            lambda one: resolve(self._ledger, one, who, happened=happened, url=url),
        )

    async def _act(
        self, delivery_id: str, act: Callable[[Delivery], Awaitable[Delivery]]
    ) -> Document | None:
        delivery = await self._ledger.get(delivery_id)
        if delivery is None:
            return None
        changed = await act(delivery)
        self._wake_worker()
        return shown(changed)


def shown(delivery: Delivery) -> dict[str, Any]:
    """A delivery for people: its line on the board and which article it belongs to."""
    line = delivery.line().model_dump(mode="json", exclude_none=True)
    return {"id": delivery.id, "article_id": delivery.article_id, **line}
