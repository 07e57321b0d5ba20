"""Reads what people did with posts: `GET /2/tweets` with their public metrics. Changes nothing, costs money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.social.channels.base import Posted
from services.social.channels.counting import counts_of
from services.social.channels.transport import Answer
from services.social.channels.x.client import XClient
from shared.contracts.outlets import Counts

BATCH = 100
NAMES = {
    "likes": "like_count",
    "reposts": "retweet_count",
    "replies": "reply_count",
    "quotes": "quote_count",
    "saves": "bookmark_count",
    "views": "impression_count",
}
NOT_FOUND = "/resource-not-found"


async def read(client: XClient, posts: Sequence[Posted]) -> tuple[Answer, dict[str, Counts | None]]:
    """The counts, and the answer for its headers. What is neither told nor not found is left out."""
    ids = [post.remote_id for post in posts]
    params = {"ids": ",".join(ids), "tweet.fields": "public_metrics"}
    answer = await client.ask("GET", "/2/tweets", params=params)
    found: dict[str, Counts | None] = {}
    for error in _dicts(answer.body.get("errors")):
        named = error.get("resource_id", error.get("value"))
        if named in ids and str(error.get("type", "")).endswith(NOT_FOUND):
            found[str(named)] = None
    for post in _dicts(answer.body.get("data")):
        if post.get("id") in ids and isinstance(post.get("public_metrics"), dict):
            found[post["id"]] = counts_of(post["public_metrics"], NAMES)
    return answer, found


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
