"""What the stand-in server holds: its statuses, its images, and how both read as JSON.

Must never drop a status: deleted ones are only hidden, so that a double post stays countable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from services.social.channels.base import VisiblePost
from services.social.channels.counting import Reactions
from services.social.channels.mastodon import fake_rules as rules
from services.social.channels.mastodon.fake_rules import Refusal

COUNTED = {
    "favourites_count": "likes",
    "reblogs_count": "reposts",
    "replies_count": "replies",
    "quotes_count": "quotes",
}
AUTHOR, ACCOUNT_ID = "herald", "110000000000000001"


@dataclass
class Attachment:
    """An uploaded image. `pending` counts the polls that still answer 206."""

    id: str
    data: bytes
    media_type: str
    width: int
    height: int
    description: str
    focus: tuple[float, float]
    pending: int
    status_id: str | None = None


@dataclass
class Status:
    """One post; it stays here when deleted."""

    id: str
    text: str
    language: str
    visibility: str
    media: list[str]
    created_at: datetime
    url: str
    edited_at: datetime | None = None
    deleted: bool = False


class Store:
    """Unknown and deleted ids raise `KeyError`, which the server answers with 404."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.statuses: dict[str, Status] = {}
        self.media: dict[str, Attachment] = {}
        self.reactions = Reactions()
        self._clock = clock
        self._last_id = 0

    def newest_first(self) -> list[Status]:
        return sorted(self.statuses.values(), key=lambda each: int(each.id), reverse=True)

    def live(self, status_id: str) -> Status:
        status = self.statuses[status_id]
        if status.deleted:
            raise KeyError(status_id)
        return status

    def attachable(self, body: dict[str, Any], status: Status | None) -> list[Attachment]:
        """The attachments that `media_ids` names. Raises `Refusal` as the server does."""
        named = body.get("media_ids") or []
        if not isinstance(named, list):
            raise Refusal("Validation failed: Media is invalid")
        ids = [str(each) for each in named]
        if len(ids) > rules.MAX_MEDIA:
            raise Refusal("Cannot attach more than 4 files")
        own = status.id if status else None
        found = [self.media[each] for each in ids if each in self.media]
        usable = [each for each in found if each.status_id in {None, own}]
        if lost := [each for each in ids if each not in {one.id for one in usable}]:
            raise Refusal(f"Media {', '.join(lost)} not found or already attached to another post")
        if any(each.pending for each in usable):
            raise Refusal(
                "Cannot attach files that have not finished processing. Try again in a moment!"
            )
        return usable

    def next_id(self) -> str:
        # The server's ids are milliseconds and a sequence; only their order means anything.
        now = int(self._clock().timestamp() * 1000) << 16
        self._last_id = max(now, self._last_id + 1)
        return str(self._last_id)

    def media_json(self, attachment: Attachment, root: str) -> dict[str, Any]:
        x, y = attachment.focus
        return {
            "id": attachment.id,
            "type": "image",
            "url": None if attachment.pending else f"{root}/media/{attachment.id}",
            "description": attachment.description or None,
            "meta": {
                "focus": {"x": x, "y": y},
                "original": {"width": attachment.width, "height": attachment.height},
            },
        }

    def status_json(self, status: Status, root: str) -> dict[str, Any]:
        card = self.as_seen(status).card
        edited = status.edited_at
        return {
            "id": status.id,
            "created_at": _iso(status.created_at),
            "edited_at": _iso(edited) if edited else None,
            "in_reply_to_id": None,
            "reblog": None,
            "visibility": status.visibility,
            "language": status.language,
            "url": status.url,
            "content": rules.rendered(status.text, root),
            "media_attachments": [self.media_json(self.media[i], root) for i in status.media],
            "card": card and {"url": card["uri"], "title": card["title"], "type": "link"},
            "account": {"id": ACCOUNT_ID, "acct": AUTHOR},
            **self.reactions.told(status.id, COUNTED),
        }

    def as_seen(self, status: Status) -> VisiblePost:
        link = next(iter(rules.links(status.text)), None)
        card = None
        if link and not status.media:  # attachments take the place of the card
            card = {"uri": link, "title": urlsplit(link).netloc, "description": "", "image": ""}
        return VisiblePost(
            id=status.id,
            author=AUTHOR,
            text=status.text,
            created_at=status.created_at,
            received_at=status.created_at,
            url=status.url,
            language=status.language,
            edited_at=status.edited_at,
            link=link,
            card=card,
            images=tuple(
                {"url": f"/media/{each}", "alt": self.media[each].description}
                for each in status.media
            ),
            deleted=status.deleted,
        )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
