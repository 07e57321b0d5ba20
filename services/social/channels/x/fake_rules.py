"""The rules of X that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose` or what it counts with: a mistake shared by both sides would be seen by neither.
Only the list of top-level domains, which is IANA's, serves both.
"""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import regex
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field

from services.social.channels.x import tlds

MAX_WEIGHT = 28_000
SCALE = 100
URL_WEIGHT = 2_300
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Ranges of configuration version 3 that weigh 100; everything else weighs 200."""
MEDIA_LIFE = timedelta(days=1)
IMAGE_BYTES = 5 * 1024 * 1024
IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
ALT_LIMIT = 1000
MAX_EDITS = 5
MOST_NAMED = 100
"""Posts that one call may name."""
CALLS = {"read": 900, "media": 500, "delete": 50, "post": 100, "day": 10_000}
"""In 15 minutes, as the network documents them; `day` counts posts in 24 hours."""

_SPACES = r"\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NEVER = r"\ufffe\ufeff\uffff\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_D = rf"[^!'#%&()*+,\\\-./:;<=>?@\[\]\^_{{|}}~${_SPACES}{_NEVER}]"
_L = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b"
    r"\u0263\u0268\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_G = rf"[a-z0-9\u0400-\u04ff{_L}!*';:=+,.$/%#\[\]\u2013_~@|&-]"
_P = rf"\((?:{_G}+|{_G}*\({_G}+\){_G}*)\)"
_E = rf"(?:[a-z0-9\u0400-\u04ff{_L}+=_#/-]|{_P})"
_T = r"(?:\L<known>(?=[^0-9a-zA-Z@+-]|$)|xn--[0-9a-z-]+)"
_HOST = rf"(?:(?:{_D}(?:[_-]|{_D})*)?{_D}\.)*(?:{_D}(?:-|{_D})*)?{_D}\.{_T}"
_QUERY = r"\?[a-z0-9!?*'@();:&=+$/%#\[\]_.,~|-]*[a-z0-9_&=#/-]"
_TAIL = rf"(?::[0-9]+)?(/(?:{_G}*(?:{_P}{_G}*)*{_E})?)?(?:{_QUERY})?"
_KNOWN = sorted(tlds.ASCII | tlds.INTERNATIONAL)
_URL = regex.compile(
    rf"([^A-Za-z0-9@＠$#＃\ufffe\ufeff\uffff]|^)((https?://)?({_HOST}){_TAIL})",
    regex.IGNORECASE,
    known=_KNOWN,
)
_ASCII_URL = regex.compile(rf"(?:[a-z0-9{_L}-]+\.)+{_T}", regex.IGNORECASE, known=_KNOWN)
_TCO = regex.compile(rf"https?://t\.co/[a-z0-9]+(?:{_QUERY})?", regex.IGNORECASE)
# Beside a sandbox the newsroom's own site has no other name; it is shown as a link but not counted as one.
_LOOPBACK = regex.compile(
    rf"(?<![a-z0-9@$#])https?://(?:localhost|127\.0\.0\.1)(?![\w.]){_TAIL}", regex.IGNORECASE
)
# By the documentation: an emoji counts two whatever it is joined from (UTS 51), in any version of Unicode.
_ELEMENT = (
    r"(?:[©®]\ufe0f|[\p{Extended_Pictographic}--[©®]]\ufe0f?)"
    r"[\U0001f3fb-\U0001f3ff]?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_EMOJI = regex.compile(
    rf"\p{{Regional_Indicator}}{{2}}|[#*0-9]\ufe0f?\u20e3|{_ELEMENT}(?:\u200d{_ELEMENT})*",
    regex.VERSION1,
)


def _urls(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for match in _URL.finditer(text):
        start, end = match.span(2)
        host = match[4]
        if any(
            len(label.encode("punycode")) - label.isascii() > 59 + 4 * label.isascii()
            for label in host.split(".")
        ):
            continue
        if match[3]:
            short = _TCO.match(match[2])
            found.append((start, start + short.end() if short else end))
        elif match[1] not in {"-", "_", ".", "/"}:
            bare = [(start + one.start(), start + one.end()) for one in _ASCII_URL.finditer(host)]
            if bare and match[5]:
                bare[-1] = (bare[-1][0], end)
            found += bare
    return found


def counted(text: str) -> int:
    """Weight of a post in hundredths of a character, as configuration version 3 has it."""
    text = unicodedata.normalize("NFC", text)
    total = position = 0
    for start, end in _urls(text):
        total += _weight(text[position:start]) + URL_WEIGHT
        position = end
    return total + _weight(text[position:])


def _weight(text: str) -> int:
    emoji = _EMOJI.findall(text)
    rest = _EMOJI.sub("", text)
    light = sum(any(low <= ord(one) <= high for low, high in LIGHT) for one in rest)
    return SCALE * (2 * len(emoji) + light + 2 * (len(rest) - light))


def links(text: str) -> list[str]:
    """The addresses the network turns into links, in order; those without a scheme get one."""
    spans = {*_urls(text), *(one.span() for one in _LOOPBACK.finditer(text))}
    found = [text[start:end] for start, end in sorted(spans)]
    return [one if "://" in one[:8] else f"http://{one}" for one in found]


class Refusal(Exception):
    """The network's own words: 400 with the part that is wrong, or 403."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Media(_Part):
    media_ids: list[str] = Field(min_length=1, max_length=4)


class Reply(_Part):
    in_reply_to_tweet_id: str = Field(pattern=r"^[0-9]{1,19}$")


class EditOptions(_Part):
    previous_post_id: str = Field(pattern=r"^[0-9]{1,19}$")


class NewPost(_Part):
    """The body of `POST /2/tweets`, as far as a newsroom uses it; other fields are refused."""

    text: str | None = None
    media: Media | None = None
    reply: Reply | None = None
    edit_options: EditOptions | None = None


class AltText(_Part):
    text: str = Field(min_length=1, max_length=ALT_LIMIT)


class Metadata(_Part):
    alt_text: AltText


class NewMetadata(_Part):
    id: str
    metadata: Metadata


def text_of(post: NewPost) -> str:
    """The text, or "" beside an image. Raises `Refusal` when it is missing, too long or not allowed."""
    text = (post.text or "").strip()
    if not text and post.media is None:
        raise Refusal("[text] is required when there is no media")
    if regex.search(r"[\x00\ufffe\ufeff\uffff]", text):
        raise Refusal("Your Tweet text has a character that is not allowed")
    if counted(text) > MAX_WEIGHT:
        raise Refusal("Your Tweet text is too long")
    return text


UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
)


def accepted_image(data: bytes) -> str:
    """Media type of an upload. Raises `Refusal` as the network refuses."""
    if len(data) > IMAGE_BYTES:
        raise Refusal("File size exceeds 5242880 bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = image.format or ""
            image.load()
    except UNREADABLE as error:
        raise Refusal("The media file is unrecognized") from error
    if kind not in IMAGE_TYPES:
        raise Refusal("The media type is not supported")
    return IMAGE_TYPES[kind]


@dataclass
class Window:
    """One rate limit: `limit` calls in each `seconds`, windows aligned to the clock."""

    limit: int
    seconds: int = 900
    _window: int = -1
    _used: int = 0

    def hit(self, now: datetime) -> bool:
        """Count one call; False when it is one too many."""
        window = self._number(now)
        self._used = self._used + 1 if window == self._window else 1
        self._window = window
        return self._used <= self.limit

    def headers(self, now: datetime, prefix: str = "x-rate-limit") -> dict[str, str]:
        """The network's three headers; the reset is an epoch in seconds."""
        number = self._number(now)
        used = self._used if number == self._window else 0
        return {
            f"{prefix}-limit": str(self.limit),
            f"{prefix}-remaining": str(max(0, self.limit - used)),
            f"{prefix}-reset": str((number + 1) * self.seconds),
        }

    def _number(self, now: datetime) -> int:
        return int(now.timestamp()) // self.seconds


def instant_of(text: str) -> datetime:
    """`YYYY-MM-DDTHH:mm:ssZ`. Raises `Refusal`."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refusal(f"[start_time] must be YYYY-MM-DDTHH:mm:ssZ, not {text}") from error


def fields_of(query: Any) -> set[str]:
    """`tweet.fields`. Raises `Refusal` for one that is not there."""
    asked = {name for name in query.get("tweet.fields", "").split(",") if name}
    known = {
        "created_at", "edit_controls", "edit_history_tweet_ids", "entities", "public_metrics",
        "referenced_tweets",
    }  # fmt: skip
    if unknown := asked - known:
        raise Refusal(f"[tweet.fields] has {', '.join(sorted(unknown))}")
    return asked
