"""Subscribers: people who said that they want our mail. Nobody else is ever one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """Whether a person may be written to; only `confirmed` may."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True)
class Subscriber:
    """One mailbox. `email` is in the normal form and unique."""

    id: str
    email: str
    status: Standing
    lists: tuple[str, ...]
    language: str
    created_at: datetime
    confirmed_at: datetime | None
    unsubscribed_at: datetime | None
    consent: Mapping[str, Any]

    def takes(self, list_name: str) -> bool:
        return self.status is Standing.CONFIRMED and list_name in self.lists
