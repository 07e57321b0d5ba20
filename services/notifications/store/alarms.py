"""Operator alerts this service raises, each fingerprint once an hour. Never a flood of the same one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog

from shared.contracts.events import write_event
from shared.contracts.outlets import OperatorAlert
from shared.runtime.clock import Clock
from shared.runtime.ids import new_id
from shared.runtime.tracing import current_traceparent
from shared.storage.client import Collection, Database
from shared.storage.errors import Duplicate
from shared.storage.outbox import declare_outbox, entry

log = structlog.get_logger(__name__)

KEEP_DAYS = 7


class Alarms:
    """One document for each fingerprint and hour, whose outbox carries the `operator.alert`."""

    def __init__(
        self, database: Database, clock: Clock, wake_relay: Callable[[str, str], None]
    ) -> None:
        self.collection: Collection = database["alarms"]
        self._clock = clock
        self._wake_relay = wake_relay

    async def declare(self) -> None:
        await self.collection.create_index([("forget_at", 1)], name="forget", expireAfterSeconds=0)
        await declare_outbox(self.collection)

    async def ring(
        self, fingerprint: str, title: str, detail: str, article_id: str | None = None
    ) -> None:
        """Tell the operators, unless they were told of this within the same hour."""
        now = self._clock.now()
        alert = OperatorAlert(
            severity="critical",
            fingerprint=fingerprint,
            title=title,
            detail=detail,
            article_id=article_id,
            at=now,
        )
        event = write_event(
            alert,
            id=new_id(),
            source="/herald/notifications",
            subject=fingerprint,
            time=now,
            traceparent=current_traceparent(),
        ).outgoing()
        id = f"{fingerprint}:{now:%Y%m%d%H}"
        try:
            fresh = await self.collection.update_one(
                {"_id": id},
                {
                    "$setOnInsert": {
                        "outbox": [entry(event, now)],
                        "outbox_pending": True,
                        "forget_at": now + timedelta(days=KEEP_DAYS),
                    }
                },
                upsert=True,
            )
        except Duplicate:
            return  # another worker rang in the same instant
        if fresh:
            log.warning("operator alert", fingerprint=fingerprint, title=title, detail=detail)
            self._wake_relay(self.collection.name, id)
