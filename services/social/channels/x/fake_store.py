"""What the stand-in for X holds: its posts with their versions, its images, and how both read as JSON.

Must never drop a post: deleted ones are only hidden, so that a double post stays countable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from services.social.channels.base import VisiblePost
from services.social.channels.counting import Reactions
from services.social.channels.x import fake_rules as rules
from services.social.channels.x.fake_rules import Refusal

COUNTED = {
    "like_count": "likes",
    "retweet_count": "reposts",
    "reply_count": "replies",
    "quote_count": "quotes",
    "bookmark_count": "saves",
    "impression_count": "views",
}
AUTHOR, ACCOUNT_ID = "herald", "2244994945"


@dataclass
class Upload:
    """An uploaded image."""

    id: str
    data: bytes
    media_type: str
    expires_at: datetime
    alt: str = ""


@dataclass
class Post:
    """One post; `versions` are its ids, the newest last. It stays here when deleted."""

    versions: list[str]
    text: str
    media: list[str]
    created_at: datetime
    reply_to: str | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    root: str = field(default="", repr=False)

    @property
    def id(self) -> str:
        return self.versions[-1]


class Store:
    """Unknown and deleted ids raise `KeyError`, which the network answers with 404."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.posts: list[Post] = []
        self.uploads: dict[str, Upload] = {}
        self.reactions = Reactions()
        self._clock = clock
        self._last_id = 0

    def newest_first(self) -> list[Post]:
        return sorted(self.posts, key=lambda each: int(each.id), reverse=True)

    def live(self, post_id: str) -> Post:
        """The post of which `post_id` is one version."""
        for post in self.posts:
            if post_id in post.versions and not post.deleted:
                return post
        raise KeyError(post_id)

    def attachable(self, ids: list[str]) -> list[str]:
        """The uploads that a post names. Raises `Refusal` for one that is not there any more."""
        now = self._clock()
        for each in ids:
            upload = self.uploads.get(each)
            if upload is None or upload.expires_at < now:
                raise Refusal("Your media IDs are invalid.")
        return ids

    def repeats(self, text: str, version_of: Post | None) -> bool:
        """Whether a live post other than the one being edited has this very text."""
        others = (post for post in self.posts if post is not version_of and not post.deleted)
        return any(post.text == text for post in others)

    def next_id(self) -> str:
        # The network's ids are milliseconds and a sequence; only their order means anything.
        now = int(self._clock().timestamp() * 1000) << 16
        self._last_id = max(now, self._last_id + 1)
        return str(self._last_id)

    def post_json(self, post: Post, fields: set[str]) -> dict[str, Any]:
        """The default fields and those that were asked for; text and links as the network rewrites them."""
        text, urls = post.text, []
        for number, link in enumerate(rules.links(post.text)):
            short = f"https://t.co/{post.id}{number}"
            text = text.replace(link, short)
            urls.append({"url": short, "expanded_url": link, "display_url": link[:30]})
        told: dict[str, Any] = {
            "id": post.id,
            "text": text,
            "edit_history_tweet_ids": post.versions,
        }
        if "public_metrics" in fields:
            told["public_metrics"] = self.reactions.told(post.id, COUNTED)
        if "created_at" in fields:
            told["created_at"] = _iso(post.created_at)
        if "entities" in fields and urls:
            told["entities"] = {"urls": urls}
        if "referenced_tweets" in fields and post.reply_to:
            told["referenced_tweets"] = [{"type": "replied_to", "id": post.reply_to}]
        return told

    def as_seen(self, post: Post) -> VisiblePost:
        link = next(iter(rules.links(post.text)), None)
        card = None
        if link and not post.media:  # an image takes the place of the card
            card = {"uri": link, "title": urlsplit(link).netloc, "description": "", "image": ""}
        return VisiblePost(
            id=post.id,
            author=AUTHOR,
            text=post.text,
            created_at=post.created_at,
            received_at=post.created_at,
            url=f"{post.root}/i/web/status/{post.id}",
            edited_at=post.edited_at,
            reply_to=post.reply_to,
            link=link,
            card=card,
            images=tuple(
                {"url": f"/media/{each}", "alt": self.uploads[each].alt} for each in post.media
            ),
            deleted=post.deleted,
        )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
