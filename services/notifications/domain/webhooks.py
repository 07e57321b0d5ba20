"""What partners are told of an article: the event's type and a thin payload of less than 20 KB.

Source: Standard Webhooks 1.0.0 (thin payloads, dotted types, `{type, timestamp, data}`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.contracts.articles import Article, Status

PUBLISHED = "article.published"
UPDATED = "article.updated"
RETRACTED = "article.retracted"
UNPUBLISHED = "article.unpublished"
EVENTS = (PUBLISHED, UPDATED, RETRACTED, UNPUBLISHED)

MAX_BYTES = 20_000
_HEADLINE, _SUMMARY, _REASON, _CORRECTION = 2000, 3000, 3000, 2000
"""Bytes of JSON that each text may take."""
_CORRECTIONS = 4
"""The newest ones; every one of them is on the article's page."""


@dataclass(frozen=True)
class Webhook:
    """One partner's endpoint, without its secret. An empty `events` means all."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    created_at: datetime
    disabled_reason: str | None = None

    @property
    def outlet(self) -> str:
        return f"webhook/{self.name}"

    def wants(self, event_type: str) -> bool:
        return not self.events or event_type in self.events


def event_type(article: Article, *, first_seen: bool) -> str:
    """The type this snapshot amounts to; `first_seen` says that this publication was new."""
    if article.status is Status.RETRACTED:
        return RETRACTED
    if article.status is not Status.PUBLISHED:
        return UNPUBLISHED
    return PUBLISHED if first_seen else UPDATED


def payload(article: Article) -> dict[str, Any]:
    """The `data` of the message; texts are cut so that the whole stays below `MAX_BYTES`."""
    shown = article.model_dump(
        mode="json",
        include={
            "id", "slug", "url", "headline", "status", "revision", "section", "language",
            "published_at", "updated_at",
        },
    )  # fmt: skip
    retraction = article.retraction.model_dump(mode="json") if article.retraction else None
    if retraction:
        retraction["reason"] = _cut(retraction["reason"], _REASON)
    return {
        **shown,
        "headline": _cut(article.headline, _HEADLINE),
        "summary": _cut(article.summary or article.standfirst, _SUMMARY),
        "corrections": [
            {**one.model_dump(mode="json"), "text": _cut(one.text, _CORRECTION)}
            for one in article.corrections[-_CORRECTIONS:]
        ],
        "retraction": retraction,
    }


def message_id(delivery_id: str) -> str:
    """The `webhook-id`: the same on every attempt, without the dots that would blur what is signed."""
    return f"msg_{hashlib.sha256(delivery_id.encode()).hexdigest()[:32]}"


def _cut(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis, in at most `most` bytes of JSON."""
    if len(orjson.dumps(text)) <= most:
        return text
    kept = text[:most]
    while len(orjson.dumps(f"{kept}…")) > most:
        kept = kept[: len(kept) * 9 // 10]
    return f"{kept}…"
