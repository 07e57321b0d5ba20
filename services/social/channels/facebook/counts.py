"""Reads what people did with a post of the Page. One call per post: several in one count as several."""

from __future__ import annotations

from typing import Any

from services.social.channels.base import Posted
from services.social.channels.counting import counts_of
from services.social.channels.meta import GraphClient, gone
from shared.contracts.outlets import Counts

FIELDS = "shares,comments.limit(0).summary(true),reactions.limit(0).summary(true)"


async def read(client: GraphClient, post: Posted) -> dict[str, Counts | None]:
    answer = await client.ask(
        "GET", post.remote_id, field="id", one_post=True, params={"fields": FIELDS}, bear=gone
    )
    return {post.remote_id: None if gone(answer) else counts(answer.body)}


def counts(told: dict[str, Any]) -> Counts:
    """The node's sums; a post that nobody shared has no `shares` at all."""
    sums = {
        "reactions": _inner(told, "reactions", "summary").get("total_count"),
        "comments": _inner(told, "comments", "summary").get("total_count"),
        "shares": _inner(told, "shares").get("count", 0),
    }
    return counts_of(sums, {"likes": "reactions", "replies": "comments", "shares": "shares"})


def _inner(told: Any, *names: str) -> dict[str, Any]:
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told if isinstance(told, dict) else {}
