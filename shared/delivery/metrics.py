"""What deliveries are counted by."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

OUTCOMES = Counter("herald_delivery_outcomes_total", "What the outside said", ["outlet", "outcome"])
LATENCY = Histogram(
    "herald_publish_to_outlet_seconds",
    "From the editor's act to the confirmed effect",
    ["outlet"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 300),
)
