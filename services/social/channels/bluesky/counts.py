"""Reads what people did with posts: `app.bsky.feed.getPosts`. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from services.social.channels.base import Posted
from services.social.channels.bluesky.client import XrpcClient
from services.social.channels.counting import counts_of
from shared.contracts.outlets import Counts
from shared.delivery.errors import TryAgain

BATCH = 25
"""The most that one call may name (lexicon app.bsky.feed.getPosts)."""
NAMES = {
    "likes": "likeCount",
    "reposts": "repostCount",
    "replies": "replyCount",
    "quotes": "quoteCount",
    "saves": "bookmarkCount",
}


async def read(client: XrpcClient, posts: Sequence[Posted]) -> dict[str, Counts | None]:
    """A post that the answer leaves out is deleted, or hidden from everybody."""
    uris = [post.remote_id for post in posts]
    params = [("uris", uri) for uri in uris]
    answer = await client.query("app.bsky.feed.getPosts", params, fields=["posts"])
    if not isinstance(answer.body["posts"], list):
        raise TryAgain("the posts came without a list")
    told = {one.get("uri"): one for one in answer.body["posts"] if _is_post(one)}
    return {uri: counts_of(told[uri], NAMES) if uri in told else None for uri in uris}


def _is_post(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("uri"), str)
