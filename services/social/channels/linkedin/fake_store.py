"""What the stand-in network holds: posts and images, and how both read as JSON.

Must never drop a post: deleted ones are only hidden, so that a double post stays countable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.social.channels.base import VisiblePost
from services.social.channels.counting import Reactions
from services.social.channels.linkedin import fake_rules as rules
from services.social.channels.linkedin.fake_rules import Refusal

COUNTED = {
    "likeCount": "likes",
    "commentCount": "replies",
    "shareCount": "shares",
    "impressionCount": "views",
    "uniqueImpressionsCount": "reach",
    "clickCount": "clicks",
}
ORGANIZATION = "5515715"
OWNER = f"urn:li:organization:{ORGANIZATION}"
AUTHOR = "herald"
GHOSTS = timedelta(hours=24)
"""How long a deleted post goes on counting as a duplicate."""


@dataclass
class Picture:
    """An upload. `pending` counts the polls that still answer PROCESSING."""

    urn: str
    data: bytes | None
    media_type: str | None
    pending: int

    @property
    def status(self) -> str:
        if self.data is None:
            return "WAITING_UPLOAD"
        if self.media_type is None:
            return "PROCESSING_FAILED"
        return "PROCESSING" if self.pending else "AVAILABLE"


@dataclass
class Post:
    """One post; it stays here when deleted."""

    urn: str
    commentary: str
    card: dict[str, str]
    created_at: datetime
    changed_at: datetime
    url: str
    edited: bool = False
    deleted_at: datetime | None = None


class Store:
    """Unknown and deleted URNs raise `KeyError`, which the network answers with 404."""

    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self.pictures: dict[str, Picture] = {}
        self.reactions = Reactions()
        self._last = 7_000_000_000_000_000_000

    def next_id(self) -> int:
        self._last += 1
        return self._last

    def live(self, urn: str) -> Post:
        post = self.posts[urn]
        if post.deleted_at is not None:
            raise KeyError(urn)
        return post

    def newest_change_first(self) -> list[Post]:
        alive = [post for post in self.posts.values() if post.deleted_at is None]
        return sorted(alive, key=lambda each: (each.changed_at, each.urn), reverse=True)

    def refuse_duplicate(self, commentary: str, source: str, now: datetime) -> None:
        for post in self.posts.values():
            gone = post.deleted_at is not None and now - post.deleted_at >= GHOSTS
            if (post.commentary, post.card["source"]) == (commentary, source) and not gone:
                raise Refusal(422, "DUPLICATE_POST", f"Content is a duplicate of {post.urn}")

    def require_ready(self, urn: str) -> None:
        picture = self.pictures.get(urn)
        if picture is None:
            raise rules.invalid(f"/content/article/thumbnail :: {urn} does not exist")
        if picture.status != "AVAILABLE":
            raise Refusal(400, "MEDIA_ASSET_PROCESSING", f"{urn} is {picture.status}")

    def post_json(self, post: Post) -> dict[str, Any]:
        return {
            "id": post.urn,
            "author": OWNER,
            "commentary": post.commentary,
            "visibility": "PUBLIC",
            "lifecycleState": "PUBLISHED",
            "content": {"article": dict(post.card)},
            "createdAt": int(post.created_at.timestamp() * 1000),
            "publishedAt": int(post.created_at.timestamp() * 1000),
            "lastModifiedAt": int(post.changed_at.timestamp() * 1000),
            "lifecycleStateInfo": {"isEditedByAuthor": post.edited},
        }

    def batch(self, urns: list[str]) -> dict[str, Any]:
        """What a BATCH_GET answers: what is there, and an error for each that is not."""
        results: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for urn in urns:
            try:
                results[urn] = self.post_json(self.live(urn))
            except KeyError:
                errors[urn] = {"status": 404, "code": "NOT_FOUND", "message": "Entity not found"}
        statuses = dict.fromkeys(results, 200) | dict.fromkeys(errors, 404)
        return {"results": results, "statuses": statuses, "errors": errors}

    def statistics(self, urns: list[str]) -> list[dict[str, Any]]:
        """One element per share of the page, also for one that was deleted since."""
        return [
            {
                "organizationalEntity": OWNER,
                "share": urn,
                "totalShareStatistics": self.reactions.told(urn, COUNTED) | {"engagement": 0.01},
            }
            for urn in urns
            if urn in self.posts
        ]

    def as_seen(self, post: Post) -> VisiblePost:
        thumbnail = post.card.get("thumbnail")
        return VisiblePost(
            id=post.urn,
            author=AUTHOR,
            text=rules.shown(post.commentary),
            created_at=post.created_at,
            received_at=post.created_at,
            url=post.url,
            edited_at=post.changed_at if post.edited else None,
            link=post.card["source"],
            card={
                "uri": post.card["source"],
                "title": post.card["title"],
                "description": post.card.get("description", ""),
                "image": f"/pictures/{thumbnail}" if thumbnail else "",
            },
            deleted=post.deleted_at is not None,
        )
