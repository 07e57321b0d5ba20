"""The two rules every contract follows: writers are strict and frozen, readers ignore what they do not know."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

_DATE = re.compile(r"\d{4}-")


def _written_out(value: Any) -> Any:
    # A number, also one in quotes, would be taken for seconds since 1970: 20261201 for an August day.
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError("must be an instant with its zone, such as 2026-11-23T09:30:00Z")


def _to_utc(value: datetime) -> datetime:
    # Milliseconds are what MongoDB keeps; cutting here makes what is written equal what is read.
    try:
        value = value.astimezone(UTC)
    except OverflowError as error:  # pydantic turns only a ValueError into a refusal
        raise ValueError("must be a moment within the years 1 to 9999 in UTC") from error
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    AfterValidator(_to_utc),
    PlainSerializer(_iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A moment in UTC; written as RFC 3339 with milliseconds and `Z`.

A time without a zone is refused, and so is a bare number.
"""


class Contract(BaseModel):
    """Base of every model in the published language: an unknown field is an error when writing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def read(cls, raw: bytes | str | dict[str, Any]) -> Any:
        """Parse as a reader: unknown fields are ignored. Raises `pydantic.ValidationError`."""
        if isinstance(raw, dict):
            return cls.model_validate(raw, extra="ignore")
        return cls.model_validate_json(raw, extra="ignore")


class EventData(Contract):
    """The `data` of one event type. `TYPE` is the CloudEvents type and never changes its meaning."""

    TYPE: ClassVar[str]
