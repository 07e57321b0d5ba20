"""The rules of the Bot API that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose` or `wording`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PIL import Image, UnidentifiedImageError

TEXT_UNITS, CAPTION_UNITS = 4096, 1024
PHOTO_BYTES = 10 * 1024 * 1024
PHOTO_SIDES, PHOTO_RATIO = 10_000, 20
TAGS = frozenset(
    {"a", "b", "strong", "i", "em", "u", "ins", "s", "strike", "del"}
    | {"code", "pre", "blockquote", "tg-spoiler", "span", "tg-emoji"}
)
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_TOKEN = re.compile(
    r"<(?P<slash>/?)(?P<tag>[^\s<>/]*)(?P<rest>[^<>]*)>"
    r"|&(?P<name>lt|gt|amp|quot);|&#(?P<decimal>\d{1,7});|&#x(?P<hexadecimal>[0-9a-fA-F]{1,6});"
    r"|(?P<stray><)"
)
_URL = re.compile(r"https?://[^\s<>\"«»]+")
_DROPPED = re.compile("[\u2028-\u202e\u0333\u033f\u030a\r]")
_BLANKED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Refusal(Exception):
    """A refusal in the network's words; `parameters` as its ResponseParameters."""

    def __init__(self, status: int, words: str, **parameters: int) -> None:
        super().__init__(words)
        self.status = status
        self.parameters = parameters


def bad(words: str) -> Refusal:
    """400, as most refusals are."""
    return Refusal(400, f"Bad Request: {words}")


@dataclass(frozen=True)
class Parsed:
    """A text after entity parsing. `bold` are the stretches that readers see in bold."""

    text: str
    bold: tuple[str, ...] = ()

    @property
    def link(self) -> str | None:
        """The first address, which readers can follow."""
        found = _URL.search(self.text)
        return found[0].rstrip(".,:;!?)") if found else None


def parsed(given: Any, mode: Any, limit: int, what: str) -> Parsed:
    """What readers see of `given`. Raises `Refusal` for broken markup and above the limit."""
    if not isinstance(given, str):
        raise bad(f"{what} must be a string")
    if mode not in {None, "HTML"}:
        raise bad("unsupported parse_mode")
    text, bold = _markup(given) if mode else (given, ())
    text = _BLANKED.sub(" ", _DROPPED.sub("", text)).strip()
    units = sum(2 if ord(character) > 0xFFFF else 1 for character in text)
    if units > limit:
        raise bad("message is too long" if what == "text" else "message caption is too long")
    if not text and what == "text":
        raise bad("message text is empty")
    return Parsed(text, bold)


def _markup(given: str) -> tuple[str, tuple[str, ...]]:
    pieces: list[str] = []
    bold: list[str] = []
    opened: list[tuple[str, int]] = []
    position = 0
    for token in _TOKEN.finditer(given):
        pieces.append(given[position : token.start()])
        position = token.end()
        offset = len(given[: token.start()].encode())
        if token["name"]:
            pieces.append(NAMED[token["name"]])
        elif number := token["decimal"] or token["hexadecimal"]:
            pieces.append(chr(int(number, 10 if token["decimal"] else 16)))
        elif token["stray"] or token["tag"].lower() not in TAGS:
            raise bad(
                f'can\'t parse entities: Unsupported start tag "{token["tag"] or ""}" '
                f"at byte offset {offset}"
            )
        elif not token["slash"]:
            opened.append((token["tag"].lower(), len("".join(pieces))))
        else:
            if not opened or opened[-1][0] != token["tag"].lower():
                raise bad(f"can't parse entities: Unexpected end tag at byte offset {offset}")
            tag, start = opened.pop()
            if tag in {"b", "strong"}:
                bold.append("".join(pieces)[start:])
    if opened:
        raise bad(f"can't parse entities: Can't find end tag corresponding to \"{opened[-1][0]}\"")
    return "".join([*pieces, given[position:]]), tuple(bold)


def preview_of(options: Any, text: Parsed) -> str | None:
    """The address that a link preview is shown for. Raises `Refusal` for unknown options."""
    known = {"url", "is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"}
    if options is None:
        return text.link
    if not isinstance(options, dict) or options.keys() - known:
        raise bad("can't parse link preview options JSON object")
    if options.get("is_disabled"):
        return None
    url = options.get("url", text.link)
    if url is not None and (not isinstance(url, str) or not _URL.fullmatch(url)):
        raise bad("WEBPAGE_URL_INVALID")
    return url


UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
)


def accepted_photo(data: bytes) -> None:
    """Raises `Refusal` as the network refuses a photo."""
    if len(data) > PHOTO_BYTES:
        raise Refusal(413, "Request Entity Too Large")
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            kind = image.format
            if width + height > PHOTO_SIDES or max(width, height) > PHOTO_RATIO * min(
                width, height
            ):
                raise bad("PHOTO_INVALID_DIMENSIONS")
            image.load()
    except UNREADABLE as error:
        raise bad("IMAGE_PROCESS_FAILED") from error
    if kind not in {"JPEG", "PNG", "WEBP"}:
        raise bad("PHOTO_EXT_INVALID")


@dataclass
class Window:
    """At most `limit` messages in any `seconds`; the network tells only how long to wait."""

    limit: int
    seconds: float
    _times: list[datetime] = field(default_factory=list)

    def hit(self, now: datetime) -> None:
        """Count one message. Raises `Refusal` with the seconds to wait, rounded up."""
        self._times = [t for t in self._times if (now - t).total_seconds() < self.seconds]
        if len(self._times) >= self.limit:
            wait = int(self.seconds - (now - self._times[0]).total_seconds()) + 1
            raise too_many(wait)
        self._times.append(now)


def too_many(seconds: int) -> Refusal:
    """429 in the network's dialect."""
    return Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
