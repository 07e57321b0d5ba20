"""Stored values as our JSON shows them: instants in RFC 3339 with `Z`, and nothing for what is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def shown(value: Any) -> Any:
    """The same value with every datetime as text and every None left out, however deep."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [shown(inner) for inner in value]
    return value
