"""The rules of the Posts API that the stand-in enforces, written apart from the channel on purpose.

Must never import `compose` or `littletext`: a mistake shared by both sides would be seen by neither.
"""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import unquote

from PIL import Image, UnidentifiedImageError
from yarl import URL

COMMENTARY, TITLE, DESCRIPTION = 3000, 400, 4086
IMAGE_PIXELS = 36_152_320
IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}
RESERVED = "\\|{}@[]()<>#*_~"
TEMPLATE = re.compile(r"\{hashtag\|\\#\|([^|{}\\]+)\}")
MENTION = re.compile(r"@\[([^\]]+)\]\(urn:li:(?:organization|person):[A-Za-z0-9_-]+\)")
POST_FIELDS = {
    "author": str,
    "commentary": str,
    "visibility": str,
    "distribution": dict,
    "lifecycleState": str,
    "isReshareDisabledByAuthor": bool,
}
CARD_FIELDS = {"source", "title", "description", "thumbnail"}
DISTRIBUTION = {
    "feedDistribution": "MAIN_FEED",
    "targetEntities": [],
    "thirdPartyDistributionChannels": [],
}


URNS_LISTED = re.compile(r"List\(((?:urn%3Ali%3A(?:share|ugcPost)%3A\d+,?)+)\)")


class Refusal(Exception):
    """The network's own words, with its status and the name of the error."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code = status, code


def invalid(words: str) -> Refusal:
    return Refusal(422, "UNPROCESSABLE_ENTITY", f"ERROR :: {words}")


def shown(commentary: str) -> str:
    """What readers see: the text ends, without a word, where a reserved character stands bare."""
    seen: list[str] = []
    position = 0
    while position < len(commentary):
        sign = commentary[position]
        if sign == "\\" and position + 1 < len(commentary):
            seen.append(commentary[position + 1])
            position += 2
        elif hashtag := TEMPLATE.match(commentary, position):
            seen.append(f"#{hashtag[1]}")
            position = hashtag.end()
        elif mention := MENTION.match(commentary, position):
            seen.append(mention[1])
            position = mention.end()
        elif sign in RESERVED:
            break
        else:
            seen.append(sign)
            position += 1
    return "".join(seen)


def counted(text: str) -> int:
    """Length as Java counts it: one for each char, two for what lies beyond the first plane."""
    return sum(2 if ord(sign) > 0xFFFF else 1 for sign in text)


def checked_commentary(text: Any) -> str:
    if not isinstance(text, str) or "\x00" in text:
        raise invalid("/commentary :: is not a string")
    if counted(text) > COMMENTARY:
        raise invalid(f"/commentary :: length {counted(text)} is above {COMMENTARY}")
    return text


def checked_post(body: dict[str, Any], owner: str) -> dict[str, Any]:
    """The card of a valid new post. Raises `Refusal`."""
    if extra := sorted(body.keys() - POST_FIELDS.keys() - {"content"}):
        raise invalid(f"/{extra[0]} :: unrecognized field found but not allowed")
    for name, kind in POST_FIELDS.items():
        if not isinstance(body.get(name), kind):
            raise invalid(f"/{name} :: field is required but not found")
    if body["author"] != owner:
        raise Refusal(403, "ACCESS_DENIED", "Organization permissions must be used")
    if (body["visibility"], body["lifecycleState"]) != ("PUBLIC", "PUBLISHED"):
        raise invalid("/visibility :: is not an enum symbol")
    if body["distribution"] != DISTRIBUTION:
        raise invalid("/distribution :: is invalid")
    checked_commentary(body["commentary"])
    content = body.get("content")
    card = content.get("article") if isinstance(content, dict) and len(content) == 1 else None
    if not isinstance(card, dict):
        raise invalid("/content :: union type is not recognized")
    return checked_card(card)


def checked_card(card: dict[str, Any]) -> dict[str, Any]:
    if extra := sorted(card.keys() - CARD_FIELDS):
        raise invalid(f"/content/article/{extra[0]} :: unrecognized field found but not allowed")
    if not all(isinstance(value, str) for value in card.values()):
        raise invalid("/content/article :: is not a string")
    # Nothing is read from the page, so a card without a title has none.
    if not card.get("title") or not re.match(r"https?://[^\s/]", card.get("source", "")):
        raise invalid("/content/article :: field is required but not found")
    for name, limit in (("title", TITLE), ("description", DESCRIPTION)):
        if counted(card.get(name, "")) > limit:
            raise invalid(f"/content/article/{name} :: length is above {limit}")
    return card


def accepted_image(data: bytes) -> str | None:
    """The media type of an upload; None for one that the network will fail to process."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, (width, height) = image.format or "", image.size
            if width * height > IMAGE_PIXELS:
                return None
            image.load()
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
    ):
        return None
    return IMAGE_TYPES.get(kind)


def listed(url: URL, name: str) -> list[str]:
    """A list of URNs in Rest.li 2.0: `List(...)` bare, the colons of its values encoded. Raises `Refusal`."""
    found = [part for part in url.raw_query_string.split("&") if part.startswith(f"{name}=")]
    match = URNS_LISTED.fullmatch(found[0].removeprefix(f"{name}=")) if found else None
    if match is None:
        raise Refusal(
            400, "ILLEGAL_ARGUMENT", f"Invalid query parameters passed to request: {name}"
        )
    return [unquote(urn) for urn in match[1].split(",") if urn]
