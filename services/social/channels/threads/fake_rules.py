"""The rules of Threads that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose` or `wording`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
import regex
from PIL import Image, UnidentifiedImageError

MAX_CHARACTERS = 500
ALT_LIMIT = 1000
MAX_LINKS = 5
IMAGE_BYTES = 8 * 1024 * 1024
LIFE = timedelta(hours=24)
CONTAINER_FIELDS = frozenset(
    {"media_type", "text", "link_attachment", "image_url", "alt_text", "topic_tag", "reply_to_id"}
)

# Emoji sequences as UTS 51 has them; each is as long as its UTF-8 bytes.
_ELEMENT = (
    r"(?:\p{Emoji_Presentation}\ufe0f?|[\p{Extended_Pictographic}]\ufe0f)"
    r"[\U0001f3fb-\U0001f3ff]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_EMOJI = regex.compile(
    rf"\p{{Regional_Indicator}}{{2}}|[#*0-9]\ufe0f?\u20e3|{_ELEMENT}(?:\u200d{_ELEMENT})*"
)
_LINK = regex.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", regex.IGNORECASE)


class Refusal(Exception):
    """An error of the network: its code, its words and where it has one its subcode."""

    def __init__(self, code: int, words: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(words)
        self.code, self.subcode, self.status = code, subcode, status


def counted(text: str) -> int:
    """Characters of a post, an emoji as its UTF-8 bytes."""
    emoji = _EMOJI.findall(text)
    return len(_EMOJI.sub("", text)) + sum(len(one.encode()) for one in emoji)


def links(text: str) -> list[str]:
    """The addresses in a text, in order, without the punctuation after them."""
    return [found.rstrip(".,;:!?'\")]}*…") for found in _LINK.findall(text)]


@dataclass(frozen=True)
class NewContainer:
    """The fields of `POST /{user}/threads`, checked."""

    text: str
    link_attachment: str | None
    image_url: str | None
    alt: str
    topic: str | None
    reply_to: str | None


def checked_container(form: Mapping[str, Any]) -> NewContainer:
    """What a container is made of. Raises `Refusal` for what the network would not take."""
    given = {name: str(value) for name, value in form.items()}
    if unknown := given.keys() - CONTAINER_FIELDS:
        raise Refusal(100, f"Param {sorted(unknown)[0]} is not one of a container's")
    kind, text = given.get("media_type"), given.get("text", "")
    attachment, image_url = given.get("link_attachment"), given.get("image_url")
    if kind not in {"TEXT", "IMAGE"}:
        raise Refusal(100, "Param media_type must be one of {TEXT, IMAGE, VIDEO, CAROUSEL}")
    if kind == "TEXT" and (not text.strip() or image_url):
        raise Refusal(100, "A post of media_type TEXT needs text and takes no image_url")
    if kind == "IMAGE" and (not image_url or attachment):
        raise Refusal(100, "A post of media_type IMAGE needs image_url and no link_attachment")
    if counted(text) > MAX_CHARACTERS or "\x00" in text:
        raise Refusal(100, f"Param text must be at most {MAX_CHARACTERS} characters long.")
    for url in (attachment, image_url):
        if url is not None and not (
            url.startswith(("http://", "https://")) and urlsplit(url).netloc
        ):
            raise Refusal(100, f"{url[:80]} is not a valid URL")
    if len({*links(text), *([attachment] if attachment else [])}) > MAX_LINKS:
        raise Refusal(100, "THREADS_API__LINK_LIMIT_EXCEEDED")
    alt, topic = given.get("alt_text", ""), given.get("topic_tag")
    if len(alt) > ALT_LIMIT:
        raise Refusal(100, f"Param alt_text must be at most {ALT_LIMIT} characters long.")
    if topic is not None and (not 1 <= len(topic) <= 50 or set(topic) & set(".&")):
        raise Refusal(100, "Param topic_tag must be 1 to 50 characters without . and &")
    return NewContainer(text, attachment, image_url, alt, topic, given.get("reply_to_id"))


UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
)


def image_error(data: bytes) -> str:
    """What is wrong with an image, in the network's words; "" when nothing is."""
    if len(data) > IMAGE_BYTES:
        return "FAILED_DOWNLOADING_IMAGE"
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, (width, height) = image.format or "", image.size
            image.load()
    except UNREADABLE:
        return "UNKNOWN"
    if kind not in {"JPEG", "PNG"}:
        return "UNKNOWN"
    return "INVALID_ASPEC_RATIO" if max(width, height) > 10 * min(width, height) else ""


@dataclass
class Usage:
    """The app's calls in this hour, as a percentage of what it may make."""

    hourly: int
    _hour: int = -1
    _used: int = 0

    def hit(self, epoch: float) -> bool:
        """Count one call; False when it is one too many."""
        hour = int(epoch) // 3600
        self._used = self._used + 1 if hour == self._hour else 1
        self._hour = hour
        return self._used <= self.hourly

    def header(self) -> str:
        """The value of `X-App-Usage`."""
        share = min(100, self._used * 100 // self.hourly)
        told = {"call_count": share, "total_cputime": 0, "total_time": share // 2}
        return orjson.dumps(told).decode()
