"""Events in: article snapshots become pages, revoked tokens are remembered. Local work only."""

from __future__ import annotations

from shared.contracts.base import EventData
from shared.contracts.events import Event
from shared.contracts.identity import TokenRevoked
from shared.delivery.intake import ArticleIntake
from shared.web.identity import Revocations


class Handlers:
    """What each queue's messages do."""

    def __init__(self, intake: ArticleIntake, revocations: Revocations) -> None:
        self._intake = intake
        self._revocations = revocations

    async def handle(self, event: Event[EventData]) -> None:
        if isinstance(event.data, TokenRevoked):
            await self._revocations.add(event.data.token_id, event.data.expires_at)
        else:
            await self._intake.handle(event)
