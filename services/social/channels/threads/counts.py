"""Reads what people did with a post: its insights. Changes nothing."""

from __future__ import annotations

from services.social.channels.base import Posted
from services.social.channels.counting import counts_of, metrics_of
from services.social.channels.meta import gone
from services.social.channels.threads.client import ThreadsClient
from shared.contracts.outlets import Counts

NAMES = ("views", "likes", "replies", "reposts", "quotes", "shares")


async def read(client: ThreadsClient, post: Posted) -> dict[str, Counts | None]:
    """Empty where the network has no insights of it yet."""
    answer = await client.ask(
        "GET",
        f"{post.remote_id}/insights",
        field="data",
        values={"metric": ",".join(NAMES)},
        one_post=True,
        bear=gone,
    )
    if gone(answer):
        return {post.remote_id: None}
    metrics = metrics_of(answer.body)
    return (
        {post.remote_id: counts_of(metrics, dict(zip(NAMES, NAMES, strict=True)))}
        if metrics
        else {}
    )
