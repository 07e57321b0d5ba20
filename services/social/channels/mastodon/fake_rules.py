"""The rules of a Mastodon server that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import html
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import regex
from PIL import Image, UnidentifiedImageError

MAX_CHARACTERS = 500
RESERVED_PER_URL = 23
MOST_NAMED = 20
"""Statuses that one call may name."""
MAX_MEDIA = 4
DESCRIPTION_LIMIT = 1500
IMAGE_BYTES = 16 * 1024 * 1024
IMAGE_PIXELS = 33_177_600
IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
IDEMPOTENCY = timedelta(hours=1)

# The server's own entity patterns (its twitter-text overrides and Account::MENTION_RE), with any
# run of letters standing for the list of top-level domains. Loopback hosts count as domains too:
# beside a sandbox the newsroom's own site has no other name.
_LABEL = r"[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}])?"
_GENERAL = r"[^\s<>()?]"
_BALANCED = rf"\((?:{_GENERAL}+|{_GENERAL}*\({_GENERAL}+\){_GENERAL}*)\)"
_PATH_END = rf"""(?:[^\s()?!*"'「」<>;:=,.$%\[\]~&|@]|{_BALANCED})"""
_PATH = rf"(?:{_GENERAL}|{_BALANCED})*{_PATH_END}"
_QUERY = r"\?[A-Za-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@^\u00a0-\U0010fffd]*[A-Za-z0-9_&=#/\-\u00a0-\U0010fffd]"
URL = regex.compile(
    r"(?<![A-Za-z0-9@＠$#＃\ufffe\ufeff\uffff])"
    r"(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://"
    rf"(?:(?:{_LABEL}\.)+(?:xn--[a-z0-9]+|\p{{L}}{{2,}})|localhost|127\.0\.0\.1)(?![0-9A-Za-z@+\-])"
    rf"(?::[0-9]+)?(?:/(?:{_PATH})?)?(?:{_QUERY})?",
    regex.IGNORECASE,
)
MENTION = regex.compile(
    r"(?<![=/\w\p{M}])@([a-z0-9_]+(?:[a-z0-9_.-]+[a-z0-9_]+)?)(@[\w\p{M}.-]+[\w\p{M}])?"
    r"(?!://|[@＠\u00c0-\u024f\u0300-\u036f])",
    regex.IGNORECASE,
)
HASHTAG = regex.compile(r"(?<![\w\p{M}/&])#([\w\p{M}]*[\p{L}\p{M}_][\w\p{M}]*)")


def counted(text: str) -> int:
    """Characters of a status as the server's length validator counts them."""
    plain: list[str] = []
    position = 0
    taken = [(m.start(), m.end(), "x" * RESERVED_PER_URL) for m in URL.finditer(text)]
    for mention in MENTION.finditer(text):
        if not any(start < mention.end() and mention.start() < end for start, end, _ in taken):
            taken.append((mention.start(), mention.end(), f"@{mention[1]}"))
    for start, end, stand_in in sorted(taken):
        plain += [text[position:start], stand_in]
        position = end
    plain.append(text[position:])
    return len(regex.findall(r"\X", "".join(plain)))


def links(text: str) -> list[str]:
    """The addresses the server turns into links, in order."""
    return [match[0] for match in URL.finditer(text)]


def rendered(text: str, root: str) -> str:
    """The status as the server's HTML: paragraphs, shortened links, hashtags."""
    pieces: list[str] = []
    position = 0
    for match in URL.finditer(text):
        pieces.append(_words(text[position : match.start()], root))
        scheme, _, rest = match[0].partition("://")
        shown = f'<span class="invisible">{scheme}://</span>'
        if len(rest) > 30:
            shown += f'<span class="ellipsis">{html.escape(rest[:30])}</span>'
            shown += f'<span class="invisible">{html.escape(rest[30:])}</span>'
        else:
            shown += f"<span>{html.escape(rest)}</span>"
        href = html.escape(match[0])
        pieces.append(f'<a href="{href}" rel="nofollow noopener" target="_blank">{shown}</a>')
        position = match.end()
    pieces.append(_words(text[position:], root))
    paragraphs = regex.split(r"\n{2,}", "".join(pieces))
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in paragraphs)


def _words(text: str, root: str) -> str:
    escaped = html.escape(text, quote=False)
    tag = rf'<a href="{root}/tags/\1" class="mention hashtag" rel="tag">#<span>\1</span></a>'
    return str(HASHTAG.sub(tag, escaped))


class Refusal(Exception):
    """The server's own words for a 422."""


UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
)


def accepted_image(data: bytes) -> tuple[str, int, int]:
    """Media type, width and height of an upload. Raises `Refusal` as the server refuses."""
    if len(data) > IMAGE_BYTES:
        raise Refusal("Validation failed: File file size must be less than or equal to 16 MB")
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, (width, height) = image.format or "", image.size
            if width * height > IMAGE_PIXELS:
                raise Refusal(f"{width}x{height} images are not supported")
            image.load()
    except UNREADABLE as error:
        raise Refusal("Validation failed: File content type is invalid") from error
    if kind not in IMAGE_TYPES:
        raise Refusal("Validation failed: File content type is invalid")
    return IMAGE_TYPES[kind], width, height


def text_of(body: dict[str, Any]) -> str:
    """The `status` field. Raises `Refusal` when it is no text or too long."""
    text = body.get("status") or ""
    if not isinstance(text, str) or "\x00" in text:
        raise Refusal("Validation failed: Text is invalid")
    if counted(text) > MAX_CHARACTERS:
        raise Refusal(f"Validation failed: Text character limit of {MAX_CHARACTERS} exceeded")
    return text


def description_of(words: Any) -> str:
    """Alt text as given. Raises `Refusal` above the limit, which is in code points."""
    if not isinstance(words, str):
        raise Refusal("Validation failed: Description is invalid")
    if len(words) > DESCRIPTION_LIMIT:
        raise Refusal(
            "Validation failed: Description is too long "
            f"(maximum is {DESCRIPTION_LIMIT} characters)"
        )
    return words


def focus_of(words: Any) -> tuple[float, float]:
    """`x,y`, each -1 to 1. Raises `Refusal`."""
    try:
        x, y = (float(part) for part in str(words).split(","))
    except ValueError as error:
        raise Refusal("Validation failed: Focus is invalid") from error
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Refusal("Validation failed: Focus is invalid")
    return x, y


def language_of(code: Any) -> str:
    """The code, or the account's default where the server does not know it."""
    # The server drops a code it does not know without a word, and takes the account's default.
    known = isinstance(code, str) and regex.fullmatch(r"[a-z]{2,3}|zh-(CN|HK|TW)", code)
    return str(code) if known else "en"


@dataclass
class Window:
    """One rate limit: `limit` calls in each `seconds`, windows aligned to the clock as the server does."""

    limit: int
    seconds: int
    _window: int = -1
    _used: int = 0

    def hit(self, now: datetime) -> bool:
        """Count one call; False when it is one too many."""
        window = self._number(now)
        self._used = self._used + 1 if window == self._window else 1
        self._window = window
        return self._used <= self.limit

    def remaining(self, now: datetime) -> int:
        """Calls left in the window that `now` is in."""
        used = self._used if self._number(now) == self._window else 0
        return max(0, self.limit - used)

    def _number(self, now: datetime) -> int:
        return int(now.timestamp()) // self.seconds

    def headers(self, now: datetime) -> dict[str, str]:
        """The server's three headers; the reset is ISO 8601 with microseconds."""
        resets = (self._number(now) + 1) * self.seconds
        at = datetime.fromtimestamp(resets, UTC).replace(microsecond=0)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining(now)),
            "X-RateLimit-Reset": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        }


INSTANCE: dict[str, Any] = {
    "title": "Mastodon (sandbox)",
    "version": "4.4.0",
    "configuration": {
        "statuses": {
            "max_characters": MAX_CHARACTERS,
            "max_media_attachments": MAX_MEDIA,
            "characters_reserved_per_url": RESERVED_PER_URL,
        },
        "media_attachments": {
            "supported_mime_types": list(IMAGE_TYPES.values()),
            "description_limit": DESCRIPTION_LIMIT,
            "image_size_limit": IMAGE_BYTES,
            "image_matrix_limit": IMAGE_PIXELS,
        },
    },
}
