"""Events in: operator alerts become mail, everything else goes to the intake."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from services.notifications.usecases import PlanBook, tell_operator
from shared.contracts.base import EventData
from shared.contracts.events import Event
from shared.contracts.outlets import OperatorAlert
from shared.delivery.intake import ArticleIntake

log = structlog.get_logger(__name__)


class Handlers:
    """What each queue's messages do. Local work only."""

    def __init__(
        self,
        intake: ArticleIntake,
        mail: PlanBook,
        wake_mail: Callable[[], None],
        *,
        mail_operator: bool,
    ) -> None:
        self._intake = intake
        self._mail = mail
        self._wake_mail = wake_mail
        self._mail_operator = mail_operator

    async def handle(self, event: Event[EventData]) -> None:
        data = event.data
        if isinstance(data, OperatorAlert):
            log.warning("operator alert received", fingerprint=data.fingerprint, title=data.title)
            if self._mail_operator:
                await tell_operator(self._mail, data)
                self._wake_mail()
        else:
            await self._intake.handle(event)
