"""The rules of a Facebook Page that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image, UnidentifiedImageError

MESSAGE = 63_206
PHOTO_BYTES = 4_000_000
PHOTO_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
FEED_FIELDS = {"message", "link", "published", "attached_media[0]"}
URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")


class Refusal(Exception):
    """The network's own words, with its codes and HTTP status."""

    def __init__(self, code: int, words: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(words)
        self.code, self.subcode, self.status = code, subcode, status


def counted(text: str) -> int:
    """Length as JavaScript counts it: two for what lies beyond the first plane."""
    return sum(2 if ord(sign) > 0xFFFF else 1 for sign in text)


def message_of(form: Mapping[str, Any]) -> str:
    text = form.get("message", "")
    if not isinstance(text, str) or "\x00" in text:
        raise Refusal(100, "(#100) Param message must be a string")
    if counted(text) > MESSAGE:
        raise Refusal(100, f"(#100) Param message is longer than {MESSAGE} characters")
    return text


def checked_feed(form: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Message, link and photo of a new post. Raises `Refusal`."""
    if extra := sorted(form.keys() - FEED_FIELDS):
        raise Refusal(100, f"(#100) Unexpected key {extra[0]}")
    message, link, photo = message_of(form), form.get("link"), None
    if link is not None and not (isinstance(link, str) and URL.fullmatch(link)):
        raise Refusal(100, "(#100) The url you supplied is invalid", subcode=1_500)
    if (attached := form.get("attached_media[0]")) is not None:
        try:
            photo = json.loads(attached)["media_fbid"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal(100, "(#100) Param attached_media[0] must be an object") from error
        if link is not None:
            raise Refusal(100, "(#100) Only one of link and attached_media may be given")
    if not message.strip() and link is None and photo is None:
        raise Refusal(100, "(#100) Missing message or attachment", subcode=1_349_125)
    return message, link, photo


def accepted_photo(data: bytes) -> str:
    """Media type of an upload. Raises `Refusal`."""
    if len(data) > PHOTO_BYTES:
        raise Refusal(100, "(#100) Photo file is larger than 4 MB", subcode=1_366_046)
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = image.format or ""
            image.load()
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
    ) as error:
        raise Refusal(324, "(#324) Missing or invalid image file") from error
    if kind not in PHOTO_TYPES:
        raise Refusal(100, "(#100) Photos must be saved as JPG or PNG", subcode=1_366_046)
    return PHOTO_TYPES[kind]


@dataclass
class Usage:
    """Calls of the app in the current hour, told as a percentage of `limit`."""

    limit: int
    _hour: int = -1
    _used: int = 0

    def hit(self, now: datetime) -> bool:
        """Count one call; False when it is one too many."""
        hour = int(now.timestamp()) // 3600
        self._used = self._used + 1 if hour == self._hour else 1
        self._hour = hour
        return self._used <= self.limit

    def header(self) -> str:
        percent = min(100, self._used * 100 // self.limit)
        return json.dumps({"call_count": percent, "total_cputime": 1, "total_time": 2})


def business_usage(page_id: str, minutes: int) -> str:
    """`X-Business-Use-Case-Usage` of a Page that has used up its calls."""
    usage = {
        "type": "pages",
        "call_count": 100,
        "total_cputime": 20,
        "total_time": 25,
        "estimated_time_to_regain_access": minutes,
    }
    return json.dumps({page_id: [usage]})
