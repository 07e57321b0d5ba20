"""What the stand-in for Threads holds: containers and posts, and how both read as JSON.

Must never drop a post: deleted ones are only hidden, so that a double post stays countable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from services.social.channels.base import VisiblePost
from services.social.channels.counting import Reactions
from services.social.channels.threads import fake_rules as rules
from services.social.channels.threads.fake_rules import LIFE, NewContainer, Refusal

USER_ID, USERNAME = "25000000000000001", "herald"
METRICS = ("views", "likes", "replies", "reposts", "quotes", "shares")
ABSENT = "Object does not exist, cannot be loaded due to missing permissions"


@dataclass
class Container:
    """A post that was taken in. `pending` counts the polls that still answer IN_PROGRESS."""

    id: str
    content: NewContainer
    made_at: datetime
    pending: int
    data: bytes | None = None
    error: str = ""
    published: bool = False

    def status(self, now: datetime) -> str:
        if self.published:
            return "PUBLISHED"
        if now - self.made_at >= LIFE:
            return "EXPIRED"
        if self.pending:
            return "IN_PROGRESS"
        return "ERROR" if self.error else "FINISHED"


@dataclass
class Post:
    """A published post or reply; it stays here when deleted."""

    id: str
    container: Container
    created_at: datetime
    url: str
    deleted: bool = False


class Store:
    """Unknown and deleted objects are refused as the network does: code 100, subcode 33."""

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self.posts: dict[str, Post] = {}
        self.reactions = Reactions()
        self._last = 18_000_000_000_000_000

    def next_id(self) -> str:
        self._last += 1
        return str(self._last)

    def live(self, post_id: str) -> Post:
        post = self.posts.get(post_id)
        if post is None or post.deleted:
            raise Refusal(100, ABSENT, subcode=33)
        return post

    def newest_first(self, *, replies: bool) -> list[Post]:
        return [
            post
            for post in reversed(self.posts.values())
            if not post.deleted and (post.container.content.reply_to is not None) is replies
        ]

    def published_since(self, since: datetime, *, replies: bool) -> int:
        """How much of a quota is used: deleted posts count, too."""
        return sum(
            post.created_at > since and (post.container.content.reply_to is not None) is replies
            for post in self.posts.values()
        )

    def publish(self, container: Container, now: datetime, root: str) -> Post:
        container.published = True
        post_id = self.next_id()
        post = Post(post_id, container, now, f"{root}/@{USERNAME}/post/{post_id}")
        self.posts[post_id] = post
        return post

    def insights(self, post: Post, metric: str) -> list[dict[str, Any]]:
        """Sums over the post's life, as the network writes metrics."""
        wanted = metric.split(",")
        if unknown := sorted(set(wanted) - set(METRICS)):
            raise Refusal(100, f"metric[0] must be one of: {', '.join(METRICS)}, not {unknown[0]}")
        told = self.reactions.told(post.id, {name: name for name in METRICS})
        return [
            {"name": name, "period": "lifetime", "values": [{"value": told[name]}]}
            for name in wanted
        ]

    def as_seen(self) -> list[VisiblePost]:
        return [_seen(post) for post in reversed(self.posts.values())]


def post_json(post: Post, fields: set[str]) -> dict[str, Any]:
    """The fields that were asked for, as far as the post has them, and its id."""
    content = post.container.content
    told = {
        "id": post.id,
        "media_type": "IMAGE" if content.image_url else "TEXT_POST",
        "text": content.text,
        "permalink": post.url,
        "timestamp": post.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "username": USERNAME,
        "link_attachment_url": content.link_attachment,
        "alt_text": content.alt,
        "topic_tag": content.topic,
        "replied_to": {"id": content.reply_to} if content.reply_to else None,
    }
    if unknown := fields - told.keys():
        raise Refusal(100, f"Tried accessing nonexisting field ({sorted(unknown)[0]})")
    return {name: value for name, value in told.items() if value and name in {"id", *fields}}


def _seen(post: Post) -> VisiblePost:
    content = post.container.content
    link = content.link_attachment or next(iter(rules.links(content.text)), None)
    card = None
    if content.link_attachment:
        title = urlsplit(content.link_attachment).netloc
        card = {"uri": content.link_attachment, "title": title, "description": "", "image": ""}
    images = ({"url": f"/images/{post.id}", "alt": content.alt},) if content.image_url else ()
    return VisiblePost(
        id=post.id,
        author=USERNAME,
        text=content.text,
        created_at=post.created_at,
        received_at=post.created_at,
        url=post.url,
        reply_to=content.reply_to,
        link=link,
        card=card,
        images=images,
        deleted=post.deleted,
    )
