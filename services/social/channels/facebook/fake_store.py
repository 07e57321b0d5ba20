"""What the stand-in Page holds: its posts and photos, and how both read as JSON.

Must never drop a post: deleted ones are only hidden, so that a double post stays countable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from services.social.channels.base import VisiblePost
from services.social.channels.counting import Reactions
from services.social.channels.facebook.fake_rules import URL, Refusal

PAGE_ID, PAGE_NAME = "104729000000001", "Herald"
COUNTED = "shares,comments.limit(0).summary(true),reactions.limit(0).summary(true)"
"""The fields of a post that the stand-in tells."""
ABSENT = "Object does not exist, cannot be loaded due to missing permissions"


@dataclass
class Photo:
    """An upload, seen by nobody until a post shows it."""

    id: str
    data: bytes
    media_type: str
    alt: str
    post_id: str | None = None


@dataclass
class Post:
    """One post; it stays here when deleted. `by` is somebody else's number for a visitor's post."""

    id: str
    message: str
    link: str | None
    photo_id: str | None
    created_at: datetime
    url: str
    by: str = PAGE_ID
    edited_at: datetime | None = None
    deleted: bool = False


class Store:
    """Unknown and deleted objects are refused as the network does: code 100, subcode 33."""

    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self.photos: dict[str, Photo] = {}
        self.reactions = Reactions()
        self._last = 122_000_000_000_000

    def next_id(self) -> str:
        self._last += 1
        return str(self._last)

    def live(self, post_id: str) -> Post:
        post = self.posts.get(post_id)
        if post is None or post.deleted:
            raise Refusal(100, ABSENT, subcode=33)
        return post

    def feed(self, since: datetime) -> list[Post]:
        alive = [post for post in self.posts.values() if not post.deleted]
        return [post for post in reversed(alive) if post.created_at >= since]

    def refuse_duplicate(self, message: str, link: str | None) -> None:
        for post in self.posts.values():
            if not post.deleted and (post.message, post.link) == (message, link):
                raise Refusal(506, "(#506) Duplicate status message")

    def attachable(self, photo_id: str) -> Photo:
        photo = self.photos.get(photo_id)
        if photo is None:
            raise Refusal(100, f"(#100) Photo {photo_id} does not exist")
        if photo.post_id is not None:
            words = "(#100) These photos were already posted"
            raise Refusal(100, words, subcode=1_366_051)
        return photo

    def post_json(self, post: Post) -> dict[str, Any]:
        attachment = {"unshimmed_url": post.link or f"{post.url}/photo"}
        shown = [attachment] if post.link or post.photo_id else []
        return {
            "id": post.id,
            "from": {"id": post.by, "name": PAGE_NAME if post.by == PAGE_ID else "A visitor"},
            "created_time": post.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "message": post.message,
            "attachments": {"data": shown},
        }

    def counted(self, post: Post, fields: str) -> dict[str, Any]:
        """The node with its sums; `fields` is taken as the whole of what is asked for."""
        if fields != COUNTED:
            raise Refusal(100, f"(#100) Tried accessing nonexisting field ({fields[:40]})")
        given = self.reactions.told(
            post.id, {"reactions": "likes", "comments": "replies", "shares": "shares"}
        )
        told: dict[str, Any] = {
            name: {"data": [], "summary": {"total_count": given[name]}}
            for name in ("reactions", "comments")
        }
        if given["shares"]:  # of what nobody shared the network tells no number at all
            told["shares"] = {"count": given["shares"]}
        return {"id": post.id, **told}

    def as_seen(self, post: Post) -> VisiblePost:
        photo = self.photos.get(post.photo_id or "")
        card = None
        if post.link:  # made from the page, which the stand-in does not read
            card = {
                "uri": post.link,
                "title": urlsplit(post.link).netloc,
                "description": "",
                "image": "",
            }
        first = URL.search(post.message)
        return VisiblePost(
            id=post.id,
            author=PAGE_NAME,
            text=post.message,
            created_at=post.created_at,
            received_at=post.created_at,
            url=post.url,
            edited_at=post.edited_at,
            link=post.link or (first[0] if first else None),
            card=card,
            images=({"url": f"/photos/{photo.id}", "alt": photo.alt},) if photo else (),
            deleted=post.deleted,
        )
