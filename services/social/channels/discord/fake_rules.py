"""The rules of Discord's webhooks that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose` or `markdown`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from PIL import Image, UnidentifiedImageError

CONTENT, TITLE, DESCRIPTION, EMBEDS_SUM, ALT, URL_LENGTH = 2000, 256, 4096, 6000, 1024, 2048
MAX_EMBEDS, MAX_FILES = 10, 10
FILE_BYTES = 10 * 1024 * 1024
SETTABLE_FLAGS = 4 | 4096
NAMES = {"content", "embeds", "allowed_mentions", "attachments", "flags"}
EMBED_NAMES = {"title", "description", "url", "timestamp", "image"}
IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}

# In the order in which the network's apps try them at each place of a text.
_TOKENS = re.compile(
    r"\\(?P<escape>[^0-9A-Za-z\s])"
    r"|<(?P<quiet>https?://[^\s<>]+)>"
    r"|(?P<url>https?://[^\s<]+[^<.,:;\"'\]\s])"
    r"|(?P<ping>@everyone|@here|<@[!&]?\d+>)"
    r"|(?P<thing><(?:\#\d+|a?:\w+:\d+|t:-?\d+(?::\w)?|/[^:>]+:\d+|id:\w+)>)"
    r"|(?P<masked>\[[^\]]*\]\()"
    r"|(?P<format>(?P<mark>\*\*\*|\*\*|\*|___|__|_|~~|\|\||`+)(?=\S|\s).+?(?P=mark))"
    r"|(?P<block>^[^\S\n]*(?:>{1,3}|\#{1,3}|-\#|[-*+]|\d+\.)[^\S\n])",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Rendered:
    """A text as people read it. `markup` is what was formatted, `pings` who would be called."""

    text: str
    link: str | None
    markup: tuple[str, ...]
    pings: tuple[str, ...]


def rendered(markdown: str) -> Rendered:
    """What the apps make of a text."""
    pieces: list[str] = []
    links: list[str] = []
    markup: list[str] = []
    pings: list[str] = []
    position = 0
    while token := _TOKENS.search(markdown, position):
        pieces.append(markdown[position : token.start()])
        position = token.end()
        if token["escape"]:
            pieces.append(token["escape"])
        elif address := token["quiet"] or token["url"]:
            links.append(address)
            pieces.append(address)
        elif token["ping"]:
            pings.append(token["ping"])
            pieces.append(token["ping"])
        else:
            markup.append(token[0])
            pieces.append(token[0])
    text = "".join([*pieces, markdown[position:]])
    return Rendered(text, links[0] if links else None, tuple(markup), tuple(pings))


class Refusal(Exception):
    """A refusal as the network words it: HTTP status, JSON error code, and the fields of a bad form."""

    def __init__(self, status: int, code: int, words: str, **fields: str) -> None:
        super().__init__(words)
        self.status = status
        self.body: dict[str, Any] = {"message": words, "code": code}
        for name, said in fields.items():
            inner: dict[str, Any] = {"_errors": [{"code": "INVALID", "message": said}]}
            for part in reversed(name.split("__")):
                inner = {part: inner}
            self.body.setdefault("errors", {}).update(inner)


def invalid(**fields: str) -> Refusal:
    """400 Invalid Form Body; `__` in a name stands between a field and what it holds."""
    return Refusal(400, 50035, "Invalid Form Body", **fields)


def units(text: str) -> int:
    """The length of a text in the network's count."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


@dataclass(frozen=True)
class Form:
    """A message that was found to be in order."""

    content: str
    embeds: tuple[dict[str, Any], ...]
    alts: tuple[str, ...]
    parse: frozenset[str] | None
    """Which mentions may call people; None where the sender did not say, so all."""
    flags: int


def checked(body: dict[str, Any], files: list[str]) -> Form:
    """The message that `body` and the files (their names) make. Raises `Refusal`."""
    if unknown := body.keys() - NAMES:
        raise invalid(**{min(unknown): "This field is not known."})
    content = _text(body.get("content") or "", CONTENT, "content").strip()
    embeds = body.get("embeds") or []
    if not isinstance(embeds, list) or len(embeds) > MAX_EMBEDS:
        raise invalid(embeds=f"Must be {MAX_EMBEDS} or fewer in length.")
    total = sum(_embed(embed, files) for embed in embeds)
    if total > EMBEDS_SUM:
        raise invalid(embeds=f"Embed size exceeds maximum size of {EMBEDS_SUM}")
    alts = _attachments(body.get("attachments") or [], files)
    if not content and not embeds and not files:
        raise Refusal(400, 50006, "Cannot send an empty message")
    mentions = body.get("allowed_mentions")
    if mentions is not None and not isinstance(mentions, dict):
        raise invalid(allowed_mentions="Only dictionaries may be used in a DictType")
    parse = None if mentions is None else frozenset(mentions.get("parse", ()))
    flags = body.get("flags", 0)
    if not isinstance(flags, int) or flags & ~SETTABLE_FLAGS:
        raise invalid(flags="These flags cannot be set.")
    return Form(content, tuple(embeds), alts, parse, flags)


def _text(value: Any, limit: int, name: str) -> str:
    if not isinstance(value, str):
        raise invalid(**{name: "Could not interpret as string."})
    if units(value) > limit:
        raise invalid(**{name: f"Must be {limit} or fewer in length."})
    return value


def _address(value: Any, name: str, files: list[str]) -> None:
    if isinstance(value, str) and value.removeprefix("attachment://") in files:
        return
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s<>]+", value):
        raise invalid(**{name: "Not a well formed URL."})
    if units(value) > URL_LENGTH:
        raise invalid(**{name: f"Must be {URL_LENGTH} or fewer in length."})


def _embed(embed: Any, files: list[str]) -> int:
    """The characters that count towards the sum."""
    if not isinstance(embed, dict) or embed.keys() - EMBED_NAMES:
        raise invalid(embeds__0="This embed is not understood.")
    title = _text(embed.get("title", ""), TITLE, "embeds__0__title")
    description = _text(embed.get("description", ""), DESCRIPTION, "embeds__0__description")
    if "url" in embed:
        _address(embed["url"], "embeds__0__url", [])
    if "image" in embed:
        _address(embed["image"].get("url"), "embeds__0__image__url", files)
    if "timestamp" in embed:
        try:
            datetime.fromisoformat(embed["timestamp"])
        except (TypeError, ValueError) as error:
            raise invalid(embeds__0__timestamp="Could not parse the timestamp.") from error
    if not title and not description and "image" not in embed:
        raise Refusal(400, 50006, "Cannot send an empty message")
    return units(title) + units(description)


def _attachments(given: Any, files: list[str]) -> tuple[str, ...]:
    """Alt texts, one for each file."""
    alts = [""] * len(files)
    if not isinstance(given, list):
        raise invalid(attachments="Only lists may be used in a ListType")
    for one in given:
        number = one.get("id") if isinstance(one, dict) else None
        if not isinstance(number, int) or not 0 <= number < len(files):
            raise invalid(attachments="No file belongs to this attachment.")
        alts[number] = _text(one.get("description", ""), ALT, "attachments__0__description")
    return tuple(alts)


UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
)


def media_type_of(data: bytes) -> str:
    """The type of an image that the apps show; any other file is only offered for download."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.verify()
            return IMAGE_TYPES.get(image.format or "", "application/octet-stream")
    except UNREADABLE:
        return "application/octet-stream"


@dataclass
class Bucket:
    """At most `limit` calls in the `seconds` that begin with the first of them."""

    limit: int
    seconds: float
    _opened: datetime | None = field(default=None)
    _used: int = 0

    def hit(self, now: datetime) -> float | None:
        """Count one call; the seconds to wait when it is one too many."""
        if self._opened is None or now - self._opened >= timedelta(seconds=self.seconds):
            self._opened, self._used = now, 0
        if self._used >= self.limit:
            return self._left(now)
        self._used += 1
        return None

    def headers(self, now: datetime) -> dict[str, str]:
        """The network's headers; seconds have a fraction."""
        left = self._left(now)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self._used)),
            "X-RateLimit-Reset": f"{now.timestamp() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": "sandbox",
        }

    def _left(self, now: datetime) -> float:
        opened = self._opened or now
        return max(0.0, self.seconds - (now - opened).total_seconds())
