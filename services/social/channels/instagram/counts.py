"""Reads what people did with a picture: its insights, or what needs no permission for them. Changes nothing."""

from __future__ import annotations

from services.social.channels.base import Posted
from services.social.channels.counting import counts_of, metrics_of
from services.social.channels.meta import PERMISSION, GraphClient, codes, gone
from services.social.channels.transport import Answer
from shared.contracts.outlets import Counts

METRICS = {
    "likes": "likes",
    "replies": "comments",
    "shares": "shares",
    "saves": "saved",
    "views": "views",
    "reach": "reach",
}
FIELDS = {"likes": "like_count", "replies": "comments_count"}


async def read(client: GraphClient, post: Posted) -> dict[str, Counts | None]:
    """Insights need `instagram_manage_insights`; without it the picture itself tells likes and comments."""
    answer = await client.ask(
        "GET",
        f"{post.remote_id}/insights",
        field="data",
        one_post=True,
        params={"metric": ",".join(METRICS.values())},
        bear=lambda told: gone(told) or _not_permitted(told),
    )
    if gone(answer):
        return {post.remote_id: None}
    metrics = metrics_of(answer.body)
    if metrics:
        return {post.remote_id: counts_of(metrics, METRICS)}
    # Also where the insights are not ready: they come up to two days late.
    params = {"fields": ",".join(("id", *FIELDS.values()))}
    answer = await client.ask(
        "GET", post.remote_id, field="id", one_post=True, params=params, bear=gone
    )
    return {post.remote_id: None if gone(answer) else counts_of(answer.body, FIELDS)}


def _not_permitted(answer: Answer) -> bool:
    return codes(answer)[0] in PERMISSION
