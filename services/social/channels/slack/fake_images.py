"""Fetches what an image block names, as the network does when a message is posted.

Must never leave the loopback interface: an image anywhere else is taken at its word.
"""

from __future__ import annotations

import io
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
from PIL import Image, UnidentifiedImageError

from services.social.channels.slack.fake_rules import Refusal

SECONDS = aiohttp.ClientTimeout(total=5)
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}
UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
)


class ImageStore:
    """What was fetched, by address; a second message with the same image fetches nothing."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, str]] = {}

    async def keep(self, url: str) -> None:
        """Raises `Refusal` when there is no image at this address."""
        if url in self._kept or not _loopback(url):
            return
        try:
            async with (
                aiohttp.ClientSession(timeout=SECONDS) as session,
                session.get(url) as answer,
            ):
                data = await answer.read()
                kind = _type(data) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            kind = None
        if kind is None:
            raise Refusal("invalid_blocks", "downloading image failed")
        self._kept[url] = (data, kind)

    def path(self, url: str) -> str:
        """Where the stand-in shows it, relative to its root; the address itself where it has none."""
        return f"/files/{list(self._kept).index(url)}" if url in self._kept else url

    def file(self, number: str) -> tuple[bytes, str] | None:
        """Bytes and type of an image shown at `/files/{number}`."""
        files = list(self._kept.values())
        return files[int(number)] if number.isdecimal() and int(number) < len(files) else None


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _type(data: bytes) -> str | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.verify()
            return TYPES.get(image.format or "")
    except UNREADABLE:
        return None
