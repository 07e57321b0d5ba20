"""The rules of Slack's Web API that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose` or `mrkdwn`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

TEXT_CUT, UPDATE_TEXT, SECTION, ALT, IMAGE_URL, MAX_BLOCKS = 40_000, 4000, 3000, 2000, 3000, 50
POST = {"channel", "text", "blocks", "parse", "link_names", "unfurl_links", "unfurl_media"}
UPDATE = {"channel", "ts", "text", "blocks", "parse", "link_names"}
DELETE = {"channel", "ts"}
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_TOKEN = re.compile(r"<(?P<what>[^<>]*)>|(?P<entity>&amp;|&lt;|&gt;)")


class Refusal(Exception):
    """An error by its name, with what the network adds to it."""

    def __init__(self, error: str, *messages: str, status: int = 200, **more: Any) -> None:
        super().__init__(error)
        self.status = status
        self.body: dict[str, Any] = {"ok": False, "error": error, **more}
        if messages:
            self.body["response_metadata"] = {"messages": [f"[ERROR] {one}" for one in messages]}


@dataclass(frozen=True)
class Rendered:
    """A text as people read it; `called` are the mentions in it that notify somebody."""

    text: str
    links: tuple[str, ...] = ()
    called: tuple[str, ...] = ()


def rendered(mrkdwn: str) -> Rendered:
    """What the apps make of a text, formatting by `*`, `_`, `~` and backticks aside."""
    pieces: list[str] = []
    links: list[str] = []
    called: list[str] = []
    position = 0
    for token in _TOKEN.finditer(mrkdwn):
        pieces.append(mrkdwn[position : token.start()])
        position = token.end()
        if token["entity"]:
            pieces.append(ENTITIES[token["entity"]])
            continue
        target, _, label = _decoded(token["what"]).partition("|")
        if target.startswith(("@", "!", "#")):
            called.append(target)
        else:
            links.append(target)
        pieces.append(label or target)
    return Rendered("".join([*pieces, mrkdwn[position:]]), tuple(links), tuple(called))


def _decoded(text: str) -> str:
    return re.sub("&amp;|&lt;|&gt;", lambda found: ENTITIES[found[0]], text)


def units(text: str) -> int:
    """The length of a text in the network's count."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


@dataclass(frozen=True)
class Form:
    """A message that was found to be in order. `images` are address and alt text of each image block."""

    text: str
    section: str | None
    images: tuple[tuple[str, str], ...] = ()
    unfurled: bool = False

    @property
    def shown(self) -> Rendered:
        return rendered(self.text if self.section is None else self.section)


def checked(body: dict[str, Any], known: set[str]) -> Form:
    """The message of a post or an update. Raises `Refusal`."""
    if unknown := body.keys() - known:
        raise Refusal("invalid_arguments", f"unsupported argument: {min(unknown)}")
    text = body.get("text", "")
    blocks = body.get("blocks", [])
    if not isinstance(text, str) or body.get("parse", "none") not in {"none", "full"}:
        raise Refusal("invalid_arguments", "text must be a string and parse none or full")
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        raise Refusal("invalid_blocks", f"no more than {MAX_BLOCKS} items allowed")
    if not text.strip() and not blocks:
        raise Refusal("no_text")
    if "ts" in known and units(text) > UPDATE_TEXT:
        raise Refusal("msg_too_long")
    sections: list[str] = []
    images: list[tuple[str, str]] = []
    for number, block in enumerate(blocks):
        where = f"[json-pointer:/blocks/{number}]"
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "section":
            sections.append(_section(block, where))
        elif kind == "image":
            images.append(_image(block, where))
        else:
            raise Refusal("invalid_blocks", f"unsupported type: {kind} {where}")
    return Form(
        # The network takes a longer text without a word and loses its end.
        text=text[:TEXT_CUT],
        section="\n".join(sections) if sections else None,
        images=tuple(images),
        unfurled=body.get("unfurl_links") is True,
    )


def _section(block: dict[str, Any], where: str) -> str:
    text = block.get("text")
    if block.keys() - {"type", "text"} or not isinstance(text, dict):
        raise Refusal("invalid_blocks", f"unsupported section {where}")
    if text.keys() - {"type", "text", "verbatim"} or text.get("type") != "mrkdwn":
        raise Refusal("invalid_blocks", f"unsupported text {where}")
    words = text.get("text")
    if not isinstance(words, str) or not words:
        raise Refusal("invalid_blocks", f"must be more than 0 characters {where}")
    if units(words) > SECTION:
        raise Refusal("invalid_blocks", f"must be less than {SECTION + 1} characters {where}")
    return words


def _image(block: dict[str, Any], where: str) -> tuple[str, str]:
    url, alt = block.get("image_url"), block.get("alt_text")
    if block.keys() - {"type", "image_url", "alt_text"}:
        raise Refusal("invalid_blocks", f"unsupported image {where}")
    if not isinstance(url, str) or not re.fullmatch(r"https?://[^\s<>]+", url):
        raise Refusal("invalid_blocks", f"invalid image_url {where}")
    if not isinstance(alt, str) or not alt:
        raise Refusal("invalid_blocks", f"missing required field: alt_text {where}")
    if units(alt) > ALT or units(url) > IMAGE_URL:
        raise Refusal("invalid_blocks", f"image_url or alt_text is too long {where}")
    return url, alt


@dataclass
class Window:
    """At most `limit` calls in any `seconds`; the network tells only how long to wait."""

    limit: int
    seconds: float
    _times: list[datetime] = field(default_factory=list)

    def hit(self, now: datetime) -> int | None:
        """Count one call; the whole seconds to wait when it is one too many."""
        self._times = [t for t in self._times if now - t < timedelta(seconds=self.seconds)]
        if len(self._times) >= self.limit:
            return int(self.seconds - (now - self._times[0]).total_seconds()) + 1
        self._times.append(now)
        return None
