"""Counters of what the buses did, for Prometheus. Never labels by article or event: cardinality stays small."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

PUBLISHED = Counter(
    "herald_messages_published_total", "Publishes by result", ["result"]
)  # confirmed | unroutable | unavailable
HANDLED = Counter(
    "herald_messages_handled_total", "Handled messages by outcome", ["queue", "outcome"]
)  # done | retried | parked | returned
HANDLER_SECONDS = Histogram(
    "herald_handler_seconds", "Seconds one call of a handler took", ["queue"]
)
