"""Finds a post of ours on X by the link that no other post has. Reads only."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from services.social.channels.x.client import XClient, is_gone
from services.social.channels.x.compose import PostPayload
from shared.delivery.errors import OutcomeUnknown, TryAgain

PAGE, PAGES = 100, 10
"""Posts per page (the network's maximum) and pages that are read: a thousand posts within `EARLIER`."""
EARLIER = timedelta(hours=1)
"""How long before its last composing a post may have been made: by an attempt that was not seen to arrive."""


class Timeline:
    """The account's own posts and replies."""

    def __init__(self, client: XClient) -> None:
        self._client = client
        self._me: dict[str, Any] | None = None

    async def me(self) -> dict[str, Any]:
        """The account, as `GET /2/users/me` tells it; asked anew each time, because a token can be revoked."""
        data = (await self._client.ask("GET", "/2/users/me")).body.get("data")
        if not isinstance(data, dict) or not {"id", "username"} <= data.keys():
            raise TryAgain("the network did not say whose token this is")
        self._me = data
        return data

    async def find(self, frozen: PostPayload) -> str | None:
        """The id of the post that `frozen` made; None when it certainly made none."""
        if frozen.previous_post_id:
            return await self._next_version(frozen.previous_post_id)
        path = f"/2/users/{(self._me or await self.me())['id']}/tweets"
        since = (frozen.composed_at - EARLIER).astimezone(UTC)
        params = {
            "max_results": str(PAGE),
            "start_time": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tweet.fields": "entities,referenced_tweets",
        }
        for _ in range(PAGES):
            page = (await self._client.ask("GET", path, params=params)).body
            for post in page.get("data", []):
                if _is_made_by(post, frozen):
                    return str(post["id"])
            token = page.get("meta", {}).get("next_token")
            if not token:
                return None
            params["pagination_token"] = token
        raise OutcomeUnknown(f"the post is not among the last {PAGE * PAGES}; there are older ones")

    async def _next_version(self, post_id: str) -> str | None:
        """The newest version of a post, where it is another one than `post_id`."""
        path, params = f"/2/tweets/{post_id}", {"tweet.fields": "edit_history_tweet_ids"}
        answer = await self._client.ask("GET", path, params=params, bear=is_gone)
        if is_gone(answer):
            return None
        versions = answer.body.get("data", {}).get("edit_history_tweet_ids", [])
        newest = max(versions, key=int, default=post_id)
        return str(newest) if newest != post_id else None


def _is_made_by(post: dict[str, Any], frozen: PostPayload) -> bool:
    referenced = post.get("referenced_tweets", [])
    parents = [each["id"] for each in referenced if each.get("type") == "replied_to"]
    if parents != ([frozen.in_reply_to] if frozen.in_reply_to else []):
        return False
    links = post.get("entities", {}).get("urls", [])
    wanted = _normal(frozen.link)
    return any(_normal(each.get("expanded_url", "")) == wanted for each in links)


def _normal(url: str) -> tuple[Any, ...]:
    """An address in one form: the network may write a host or an escape differently than it got it."""
    parts = urlsplit(url)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return parts.netloc.lower(), unquote(parts.path).rstrip("/"), query
