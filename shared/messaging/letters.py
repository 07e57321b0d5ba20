"""The headers a failed message carries, and reading them back. Never trusts a header's type: others write too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.messaging.bus import DeadLetter

ATTEMPT = "x-herald-attempt"
"""How many attempts have failed so far."""
ERROR = "x-herald-error"
FAILED_AT = "x-herald-failed-at"
"""RFC 3339, UTC."""
ORIGIN = "x-herald-origin"
"""The queue the message was consumed from."""
TRACEPARENT = "traceparent"


def failed_headers(
    *, queue: str, attempt: int, error: str, at: datetime, traceparent: str | None
) -> dict[str, str | int]:
    """Headers for a message on its way to the ladder or the parking queue."""
    headers: dict[str, str | int] = {
        ATTEMPT: attempt,
        ERROR: error,
        FAILED_AT: at.isoformat(),
        ORIGIN: queue,
    }
    return headers | trace_headers(traceparent)


def trace_headers(traceparent: str | None) -> dict[str, str | int]:
    """W3C trace context as a header, where there is one."""
    return {TRACEPARENT: traceparent} if traceparent else {}


def failed_attempts(headers: Mapping[str, Any]) -> int:
    """Attempts that failed before this delivery, at most 1,000; 0 where there is no such number."""
    value = headers.get(ATTEMPT)
    return min(value, 1000) if isinstance(value, int) and value > 0 else 0


def text(value: Any) -> str | None:
    """A header as text: clients of other languages send bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def letter_id(body: bytes) -> str:
    """The event's id, or 32 hex digits of SHA-256 where the body is no event."""
    try:
        document = orjson.loads(body)
    except ValueError:
        document = None
    if isinstance(document, dict) and isinstance(id := document.get("id"), str) and id:
        return id
    return hashlib.sha256(body).hexdigest()[:32]


def read_letter(queue: str, body: bytes, headers: Mapping[str, Any]) -> DeadLetter:
    """A parked message as people look at it.

    Without headers of ours the broker itself parked it (`x-death`): it was delivered too often
    without an answer, which is what a message that kills its process looks like.
    """
    error = text(headers.get(ERROR))
    if error is not None:
        return DeadLetter(
            letter_id(body), queue, body, error, failed_attempts(headers), _instant(headers)
        )
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else None
    death = first if isinstance(first, dict) else {}
    at = death.get("time")
    return DeadLetter(
        id=letter_id(body),
        queue=queue,
        body=body,
        error=f"parked by the broker: {text(death.get('reason')) or 'unknown'}",
        attempts=0,
        failed_at=at.replace(tzinfo=at.tzinfo or UTC) if isinstance(at, datetime) else None,
    )


def _instant(headers: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(text(headers.get(FAILED_AT)) or "")
    except ValueError:
        return None
