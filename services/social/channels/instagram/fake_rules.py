"""The rules of an Instagram account that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image, UnidentifiedImageError

CAPTION, COMMENT, ALT = 2200, 300, 1000
HASHTAGS, MENTIONS, COMMENT_HASHTAGS = 30, 20, 4
IMAGE_BYTES = 8 * 1024 * 1024
TALLEST, FLATTEST = 0.8, 1.91
URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]", re.IGNORECASE)


class Refusal(Exception):
    """The network's own words, with its codes and HTTP status."""

    def __init__(self, code: int, words: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(words)
        self.code, self.subcode, self.status = code, subcode, status


def counted(text: str) -> int:
    """Length as JavaScript counts it: two for what lies beyond the first plane."""
    return sum(2 if ord(sign) > 0xFFFF else 1 for sign in text)


def hashtags(text: str) -> int:
    return len(re.findall(r"[#＃]\w", re.sub(r"https?://\S+", " ", text, flags=re.IGNORECASE)))


def mentions(text: str) -> int:
    return len(re.findall(r"@\w", re.sub(r"https?://\S+", " ", text, flags=re.IGNORECASE)))


def checked_container(body: dict[str, Any], most_hashtags: int) -> tuple[str, str, str]:
    """Address, caption and alt text of a new container. Raises `Refusal`."""
    if extra := sorted(body.keys() - {"image_url", "caption", "alt_text"}):
        raise Refusal(100, f"(#100) Unexpected key {extra[0]}")
    image_url, caption = body.get("image_url"), body.get("caption", "")
    alt = body.get("alt_text", "")
    if not isinstance(image_url, str) or not image_url:
        raise Refusal(100, "(#100) The parameter image_url is required")
    if not isinstance(caption, str) or not isinstance(alt, str) or "\x00" in caption:
        raise Refusal(100, "(#100) Param caption must be a string")
    if counted(caption) > CAPTION:
        raise Refusal(100, "The caption was too long", subcode=2_207_010)
    if hashtags(caption) > most_hashtags or mentions(caption) > MENTIONS:
        raise Refusal(100, "The caption has too many hashtags or mentions", subcode=2_207_040)
    if counted(alt) > ALT:
        raise Refusal(100, "(#100) Param alt_text is too long")
    return image_url, caption, alt


def checked_comment(body: dict[str, Any]) -> str:
    """The words of a new comment. Raises `Refusal`."""
    message = body.get("message")
    if body.keys() != {"message"} or not isinstance(message, str) or not message.strip():
        raise Refusal(100, "(#100) The parameter message is required")
    if counted(message) > COMMENT:
        raise Refusal(100, f"(#100) A comment cannot exceed {COMMENT} characters")
    if hashtags(message) > COMMENT_HASHTAGS or len(URL.findall(message)) > 1:
        raise Refusal(100, "(#100) A comment cannot contain more than 4 hashtags and 1 URL")
    return message


def accepted_image(data: bytes) -> None:
    """Raises `Refusal` for what the network does not take for a picture."""
    if len(data) > IMAGE_BYTES:
        raise Refusal(-2, "The image is too large to download", subcode=2_207_004)
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, (width, height) = image.format or "", image.size
            image.load()
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
    ) as error:
        raise Refusal(9004, "Only photo or video can be accepted", subcode=2_207_005) from error
    if kind != "JPEG":
        raise Refusal(9004, "The image format is not supported", subcode=2_207_005)
    if not TALLEST <= width / height <= FLATTEST:
        raise Refusal(36_003, "The aspect ratio is not supported", subcode=2_207_009)


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


def business_usage(user_id: str, minutes: int) -> str:
    """`X-Business-Use-Case-Usage` of an account that has used up its calls."""
    usage = {
        "type": "instagram",
        "call_count": 100,
        "total_cputime": 20,
        "total_time": 25,
        "estimated_time_to_regain_access": minutes,
    }
    return json.dumps({user_id: [usage]})
