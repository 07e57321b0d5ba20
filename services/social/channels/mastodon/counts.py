"""Reads what people did with statuses: `GET /api/v1/statuses?id[]=`, or one by one. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from services.social.channels.base import Posted
from services.social.channels.counting import counts_of
from services.social.channels.mastodon.client import MastodonClient
from shared.contracts.outlets import Counts
from shared.delivery.errors import TryAgain

BATCH = 20
"""The most that one call may name (Mastodon 4.3); older servers know no such call."""
NAMES = {
    "likes": "favourites_count",
    "reposts": "reblogs_count",
    "replies": "replies_count",
    "quotes": "quotes_count",
}


async def read(client: MastodonClient, posts: Sequence[Posted]) -> dict[str, Counts | None]:
    """A status that the answer leaves out is no longer there: our own are all visible to us."""
    ids = [post.remote_id for post in posts]
    if len(ids) == 1:
        path = f"/api/v1/statuses/{ids[0]}"
        answer = await client.ask("GET", path, gone_is_fine=True)
        return {ids[0]: None if answer.status == 404 else counts_of(answer.body, NAMES)}
    # An old server answers this 404, which gives the batch up, and the reader asks one by one.
    query = "&".join(f"id[]={each}" for each in ids)
    body = (await client.ask("GET", f"/api/v1/statuses?{query}")).body
    if not isinstance(body, list):
        raise TryAgain("the statuses came without a list")
    told = {str(one.get("id")): one for one in body if isinstance(one, dict)}
    return {each: counts_of(told[each], NAMES) if each in told else None for each in ids}
