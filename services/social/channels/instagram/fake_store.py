"""What the stand-in account holds: containers, pictures and comments, and how they read as JSON.

Must never drop a picture: deleted ones are only hidden, so that a double post stays countable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.social.channels.base import VisiblePost
from services.social.channels.counting import Reactions
from services.social.channels.instagram.fake_rules import URL, Refusal

USER_ID, USERNAME = "17841400000000001", "herald"
LIFE = timedelta(hours=24)
METRICS = {
    "likes": "likes",
    "comments": "replies",
    "shares": "shares",
    "saved": "saves",
    "views": "views",
    "reach": "reach",
}
ABSENT = "Object does not exist, cannot be loaded due to missing permissions"


@dataclass
class Container:
    """A picture that was taken in. `pending` counts the polls that still answer IN_PROGRESS."""

    id: str
    data: bytes
    caption: str
    alt: str
    made_at: datetime
    pending: int
    published: bool = False

    def status(self, now: datetime) -> str:
        if self.published:
            return "PUBLISHED"
        if now - self.made_at >= LIFE:
            return "EXPIRED"
        return "IN_PROGRESS" if self.pending else "FINISHED"


@dataclass
class Media:
    """A published picture; it stays here when deleted."""

    id: str
    container: Container
    created_at: datetime
    url: str
    deleted: bool = False


@dataclass
class Comment:
    """A comment below a picture."""

    id: str
    media_id: str
    text: str
    created_at: datetime


class Store:
    """Unknown and deleted objects are refused as the network does: code 100, subcode 33."""

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self.media: dict[str, Media] = {}
        self.comments: list[Comment] = []
        self.reactions = Reactions()
        self._last = 17_900_000_000_000_000

    def next_id(self) -> str:
        self._last += 1
        return str(self._last)

    def container(self, container_id: str) -> Container:
        if container_id not in self.containers:
            raise Refusal(100, ABSENT, subcode=33)
        return self.containers[container_id]

    def live(self, media_id: str) -> Media:
        media = self.media.get(media_id)
        if media is None or media.deleted:
            raise Refusal(100, ABSENT, subcode=33)
        return media

    def newest_first(self) -> list[Media]:
        return [one for one in reversed(self.media.values()) if not one.deleted]

    def comments_of(self, media_id: str) -> list[Comment]:
        return [one for one in reversed(self.comments) if one.media_id == media_id]

    def published_since(self, since: datetime) -> int:
        """How much of the quota is used: deleted pictures count, too."""
        return sum(one.created_at > since for one in self.media.values())

    def publish(self, container: Container, now: datetime, root: str) -> Media:
        container.published = True
        media_id = self.next_id()
        media = Media(media_id, container, now, f"{root}/p/{media_id}/")
        self.media[media_id] = media
        return media

    def insights(self, media: Media, metric: str) -> list[dict[str, Any]]:
        """Sums over the picture's life, as the network writes metrics."""
        wanted = metric.split(",")
        if unknown := sorted(set(wanted) - METRICS.keys()):
            raise Refusal(100, f"(#100) metric[0] must be one of the following: {unknown[0]}")
        told = self.reactions.told(media.id, METRICS)
        return [
            {
                "name": name,
                "period": "lifetime",
                "values": [{"value": told[name]}],
                "id": f"{media.id}/insights/{name}/lifetime",
            }
            for name in wanted
        ]

    def media_json(self, media: Media) -> dict[str, Any]:
        told = self.reactions.told(media.id, {"like_count": "likes", "comments_count": "replies"})
        return {
            "id": media.id,
            "caption": media.container.caption,
            "timestamp": stamp(media.created_at),
            "permalink": media.url,
            **told,
        }

    def as_seen(self) -> list[VisiblePost]:
        """Pictures and comments, newest first."""
        pictures = [self._picture(media) for media in self.media.values()]
        said = [self._comment(comment) for comment in self.comments]
        return sorted([*pictures, *said], key=lambda one: (one.created_at, one.id), reverse=True)

    def _picture(self, media: Media) -> VisiblePost:
        first = URL.search(media.container.caption)
        return VisiblePost(
            id=media.id,
            author=USERNAME,
            text=media.container.caption,
            created_at=media.created_at,
            received_at=media.created_at,
            url=media.url,
            link=first[0] if first else None,
            images=({"url": f"/pictures/{media.id}", "alt": media.container.alt},),
            deleted=media.deleted,
        )

    def _comment(self, comment: Comment) -> VisiblePost:
        media = self.media[comment.media_id]
        return VisiblePost(
            id=comment.id,
            author=USERNAME,
            text=comment.text,
            created_at=comment.created_at,
            received_at=comment.created_at,
            url=f"{media.url}c/{comment.id}/",
            reply_to=media.id,
            deleted=media.deleted,
        )


def comment_json(comment: Comment) -> dict[str, Any]:
    return {"id": comment.id, "text": comment.text, "timestamp": stamp(comment.created_at)}


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
