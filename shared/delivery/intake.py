"""How every consuming service takes in an article event: hold it, apply it, report it. Local work only.

Safe at any time and in any order: a stale snapshot changes nothing, the same one again finishes what
a crash interrupted and repeats the report that a wiped broker may have lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from shared.contracts.articles import ArticleEvent
from shared.contracts.base import EventData
from shared.contracts.events import Event, Outgoing, write_event
from shared.contracts.identity import TokenRevoked
from shared.contracts.outlets import OutletFigures, OutletLine, OutletReported
from shared.runtime.clock import Clock
from shared.runtime.ids import NewId, new_id
from shared.runtime.tracing import current_traceparent
from shared.storage.held import Held, HeldArticles

Apply = Callable[[Held], Awaitable[Sequence[OutletLine]]]
"""Do or plan everything the snapshot asks for, idempotently; answer every line of this article."""

Revoke = Callable[[str, datetime], Awaitable[None]]
"""Refuse the token with this id from now on; it may be forgotten after the instant."""


def report_event(
    service: str,
    article_id: str,
    revision: int,
    lines: Sequence[OutletLine],
    clock: Clock,
    make_id: NewId = new_id,
    *,
    partial: bool = False,
    figures: Sequence[OutletFigures] = (),
) -> Outgoing:
    """An `outlet.reported` event ready for an outbox; `partial` where the rest may not be applied."""
    now = clock.now()
    data = OutletReported(
        service=service,
        article_id=article_id,
        revision=revision,
        partial=partial,
        lines=tuple(lines),
        figures=tuple(figures),
        at=now,
    )
    return write_event(
        data,
        id=make_id(),
        source=f"/herald/{service}",
        subject=article_id,
        time=now,
        traceparent=current_traceparent(),
    ).outgoing()


class ArticleIntake:
    """The handler of one service's article queues: articles are applied, revoked tokens remembered."""

    def __init__(
        self,
        service: str,
        held: HeldArticles,
        apply: Apply,
        clock: Clock,
        wake_relay: Callable[[str, str], None],
        revoke: Revoke,
    ) -> None:
        self._service = service
        self._held = held
        self._apply = apply
        self._clock = clock
        self._wake_relay = wake_relay
        self._revoke = revoke

    async def handle(self, event: Event[EventData]) -> None:
        """Apply one event; anything else than an article or a revoked token is ignored."""
        data = event.data
        if isinstance(data, TokenRevoked):
            await self._revoke(data.token_id, data.expires_at)
        if not isinstance(data, ArticleEvent):
            return
        held = await self._held.hold(
            data.article,
            acted_at=data.acted_at,
            traceparent=event.traceparent,
        )
        if held is None:
            return
        lines = await self._apply(held)
        report = report_event(
            self._service, data.article.id, data.article.revision, lines, self._clock
        )
        await self._held.applied(data.article, report, self._clock.now())
        self._wake_relay(self._held.collection.name, data.article.id)
