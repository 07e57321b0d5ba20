"""Showing beforehand what every outlet would get. Writes nothing: no revision, no slug, no event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.domain.errors import Conflict, Invalid, PublishingError
from services.publishing.domain.foresight import PreviewText, foresee
from services.publishing.usecases.change import load
from services.publishing.usecases.ports import Newsroom
from services.publishing.usecases.writing import edited
from shared.contracts.articles import Article
from shared.web.previews import Line, Snapshot

Ask = Callable[[str, Snapshot], Awaitable[list[Line]]]
"""What this service would do with the snapshot. Raises `NoAnswer`."""


class NoAnswer(PublishingError):
    """Raised when a service cannot say now what it would do."""


@dataclass(frozen=True)
class Preview:
    """`revision` is that of the article it was made from; `article` is the snapshot it was made of."""

    revision: int
    act: str
    article: Article
    blocking: dict[str, str]
    outlets: list[dict[str, Any]] = field(default_factory=list)
    unavailable: list[dict[str, str]] = field(default_factory=list)
    """Services that did not answer: `service` and `error`."""


async def preview(room: Newsroom, article_id: str, wanted: PreviewText, ask: Ask) -> Preview:
    """Ask every service at once. Raises `NoSuch`, `WrongStatus`, `Invalid` or `Conflict`."""
    copy = (await load(room, article_id)).copy
    now = room.clock.now()
    changed = copy if wanted.changes is None else await _saved(room, copy, wanted.changes, now)
    foreseen = foresee(changed, wanted, now, room.public_url)
    found = Preview(copy.revision, wanted.act, foreseen.article, foreseen.blocking)
    snapshot = Snapshot(article=foreseen.article, acted_at=now)
    services = room.expected_services
    answers = await asyncio.gather(*(_asked(ask, service, snapshot) for service in services))
    for service, answer in zip(services, answers, strict=True):
        if isinstance(answer, NoAnswer):
            found.unavailable.append({"service": service, "error": str(answer)})
        else:
            found.outlets.extend({**line, "service": service} for line in answer)
    return found


async def _saved(room: Newsroom, copy: WorkingCopy, changes: Content, now: datetime) -> WorkingCopy:
    """The article as it would be with the changes saved; their refusals name `changes.<field>`."""
    try:
        decision = await edited(
            room, copy, copy.content.amended(changes), now, room.slugs.available
        )
    except Invalid as error:
        raise Invalid({f"changes.{name}": text for name, text in error.fields.items()}) from error
    except Conflict as error:
        raise Conflict(f"changes.{error.field}", str(error)) from error
    return decision.after if decision else copy


async def _asked(ask: Ask, service: str, snapshot: Snapshot) -> list[Line] | NoAnswer:
    try:
        return await ask(service, snapshot)
    except NoAnswer as error:
        return error
