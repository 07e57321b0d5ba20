"""The envelope: CloudEvents 1.0 structured JSON around one of the known payloads. Never guesses a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import orjson
from pydantic import Field

from shared.contracts.articles import (
    ArticleEvent,
    ArticlePublished,
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
)
from shared.contracts.base import Contract, EventData, Instant
from shared.contracts.identity import TokenRevoked
from shared.contracts.outlets import OperatorAlert, OutletReported

D_co = TypeVar("D_co", bound=EventData, covariant=True)

EVENT_TYPES: dict[str, type[EventData]] = {
    model.TYPE: model
    for model in (
        ArticlePublished,
        ArticleUpdated,
        ArticleRetracted,
        ArticleUnpublished,
        OutletReported,
        OperatorAlert,
        TokenRevoked,
    )
}


class UnknownEventType(ValueError):
    """Raised when a message's type is not in the published language of this version."""


class Event(Contract, Generic[D_co]):
    """One event on the wire. `id` (UUIDv7) and `traceparent` are fixed when it is written.

    Source: CloudEvents 1.0, JSON event format; `traceparent` is its distributed tracing extension.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str
    subject: str
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = None
    data: D_co

    @property
    def routing_key(self) -> str:
        """Topic on `herald.events`; the last word of breaking news and of figures leads them to queues of their own."""
        if isinstance(self.data, ArticleEvent) and self.data.article.priority == "breaking":
            return f"{self.type}.breaking"
        if isinstance(self.data, OutletReported) and self.data.figures:
            return f"{self.type}.figures"
        return self.type

    def wire(self) -> bytes:
        """The bytes that are stored in the outbox and sent."""
        return self.model_dump_json(exclude_none=True).encode()

    def outgoing(self) -> Outgoing:
        """The same event as the outbox and the buses handle it."""
        return Outgoing(self.id, self.routing_key, self.wire(), self.traceparent)


def write_event(
    data: EventData,
    *,
    id: str,
    source: str,
    subject: str,
    time: Any,
    traceparent: str | None = None,
) -> Event[EventData]:
    """Build an event as a writer: strict, every field checked."""
    model: type[Event[EventData]] = Event[data.__class__]  # type: ignore[name-defined]
    return model(
        id=id,
        source=source,
        type=data.TYPE,
        subject=subject,
        time=time,
        traceparent=traceparent,
        data=data,
    )


def read_event(raw: bytes) -> Event[EventData]:
    """Parse as a reader. Raises `UnknownEventType`, or `ValueError` for anything malformed."""
    document = orjson.loads(raw)
    if not isinstance(document, dict):
        raise ValueError("an event is a JSON object")
    model = EVENT_TYPES.get(str(document.get("type")))
    if model is None:
        raise UnknownEventType(str(document.get("type")))
    event: Event[EventData] = Event[model].read(document)  # type: ignore[valid-type]
    return event


@dataclass(frozen=True)
class Outgoing:
    """An event ready for the broker: what the outbox keeps and what a bus publishes, byte for byte."""

    id: str
    routing_key: str
    body: bytes
    traceparent: str | None = None
