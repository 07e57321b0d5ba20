"""One delivery: an outside effect that must happen once, and everything known about it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from shared.contracts.outlets import DeliveryState, Operation, OutletLine

Document = dict[str, Any]

BREAKING, NORMAL = LANES = 0, 1

Lanes = Mapping[int, Collection[str]]
"""Priorities to look at, most urgent first, each with the outlets to leave alone there."""

EVERY_LANE: Lanes = {BREAKING: (), NORMAL: ()}

PENDING = (DeliveryState.PLANNED.value, DeliveryState.WAITING.value)
DOUBTFUL = (DeliveryState.ARMED.value, DeliveryState.UNKNOWN.value)
"""It may have happened."""
UNFINISHED = (*PENDING, DeliveryState.CLAIMED.value, *DOUBTFUL)

ENDED_UNSENT = frozenset({DeliveryState.FAILED, DeliveryState.MISSED, DeliveryState.CANCELLED})

SEEN_BY_A_PERSON = ""
"""The `remote_id` of what a person confirmed: it is there, but under which id nobody knows."""

NOTE = "note"
"""The key of a result that tells the person at the board how it was done, or what it had to leave out."""


@dataclass(frozen=True)
class Plan:
    """What must happen once. Planning the same `id` again changes nothing."""

    article_id: str
    outlet: str
    operation: Operation
    intent: str
    """Tells two acts of one kind apart: the publication's number, the revision of an edit, a recipient."""
    publication: int
    revision: int
    acted_at: datetime
    step: int = 0
    """The order of operations that one change of the article leads to: none begins before the one below."""
    priority: int = NORMAL
    expires_at: datetime | None = None
    """The lateness limit: not begun by then, it is `missed`."""
    subject: Document = field(default_factory=dict)
    """The service's own words on what to send and to whom."""
    traceparent: str | None = None

    @property
    def id(self) -> str:
        return f"{self.article_id}:{self.outlet}:{self.operation.value}:{self.intent}"

    @property
    def thread(self) -> str:
        """Operations of one thread happen in order of revision and step, one after the other."""
        return f"{self.article_id}:{self.outlet}:{self.publication}:{self.subject.get('recipient', '')}"


@dataclass(frozen=True)
class Delivery:
    """A delivery as stored. `fence` grows with every write; a write with an old fence does nothing."""

    id: str
    article_id: str
    outlet: str
    operation: Operation
    intent: str
    thread: str
    publication: int
    revision: int
    acted_at: datetime
    priority: int
    state: DeliveryState
    fence: int
    attempts: int
    """Times something was sent or tried to be sent."""
    subject: Document
    step: int = 0
    due_at: datetime | None = None
    expires_at: datetime | None = None
    payload: Document | None = None
    composed_from: int | None = None
    """The article revision that `payload` was made from."""
    armed_at: datetime | None = None
    result: Document | None = None
    """What the outside calls it: `remote_id`, `url`, and whatever the channel needs later."""
    task: Document | None = None
    """Set while only a person can do it: what `result` will be once they have."""
    reason: str | None = None
    milliseconds: int | None = None
    traceparent: str | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in its thread."""
        return self.revision, self.step

    def line(self) -> OutletLine:
        """This delivery as a line of the fan-out board."""
        return OutletLine(
            outlet=self.outlet,
            delivery=self.id,
            operation=self.operation,
            state=self.state,
            sequence=self.fence,
            revision=self.revision,
            url=(self.result or {}).get("url"),
            reason=self.reason,
            attempts=self.attempts,
            due_at=self.due_at
            if self.state in {DeliveryState.WAITING, DeliveryState.UNKNOWN}
            else None,
            milliseconds=self.milliseconds,
            task=None if self.task is None else True,
        )


def digest(payload: Document) -> str:
    """SHA-256 of the payload in canonical JSON: proves that what was armed is what was sent."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()


def from_document(document: Document) -> Delivery:
    """The stored form, back as a `Delivery`."""
    return Delivery(
        id=document["_id"],
        article_id=document["article_id"],
        outlet=document["outlet"],
        operation=Operation(document["operation"]),
        intent=document["intent"],
        thread=document["thread"],
        publication=document["publication"],
        revision=document["revision"],
        acted_at=document["acted_at"],
        priority=document["priority"],
        state=DeliveryState(document["state"]),
        fence=document["fence"],
        attempts=document["attempts"],
        subject=document.get("subject") or {},
        step=document.get("step", 0),
        due_at=document.get("due_at"),
        expires_at=document.get("expires_at"),
        payload=document.get("payload"),
        composed_from=document.get("composed_from"),
        armed_at=document.get("armed_at"),
        result=document.get("result"),
        task=document.get("task"),
        reason=document.get("reason"),
        milliseconds=document.get("milliseconds"),
        traceparent=document.get("trace"),
    )
