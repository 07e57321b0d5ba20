"""Finds a post of ours on Threads by the link that no other post has. Reads only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.social.channels.plaintext import address
from services.social.channels.threads.client import ThreadsClient
from services.social.channels.threads.compose import Frozen
from shared.delivery.errors import OutcomeUnknown

PAGE, PAGES = 100, 10
"""Posts per page (the network's maximum) and pages that are read: a thousand posts within `EARLIER`."""
EARLIER = timedelta(hours=1)
"""How long before its last composing a post may have been made: by an attempt that was not seen to arrive."""
FIELDS = "id,text,permalink,timestamp,link_attachment_url"


class OwnPosts:
    """The account's posts and, apart from them, its replies."""

    def __init__(self, client: ThreadsClient, user_id: str) -> None:
        self._client = client
        self._user_id = user_id

    async def find(self, frozen: Frozen) -> dict[str, Any] | None:
        """The post that `frozen` made, with its `id` and `permalink`; None when there certainly is none."""
        path = f"{self._user_id}/{'replies' if frozen.reply_to else 'threads'}"
        since = int((frozen.composed_at - EARLIER).timestamp())
        asked = {"fields": FIELDS, "limit": str(PAGE), "since": str(since)}
        for _ in range(PAGES):
            page = (await self._client.ask("GET", path, field="data", values=asked)).body
            for post in page["data"]:
                if _has_link(post, frozen.link):
                    return dict(post)
            after = page.get("paging", {}).get("cursors", {}).get("after")
            if not page["data"] or not after:
                return None
            asked["after"] = after
        raise OutcomeUnknown(f"the post is not among the last {PAGE * PAGES}; there are older ones")


def _has_link(post: dict[str, Any], link: str) -> bool:
    whole = address(link)
    return any(whole.search(str(post.get(name) or "")) for name in ("link_attachment_url", "text"))
