"""Recognises a picture that left through our own darkroom, so that it comes back as the same picture.

JPEG loses a little with each encoding: without this a picture would have a new address in every
installation it moves to. Lets nothing pass that could carry anything beside the picture.
"""

from __future__ import annotations

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

_JFIF_BYTES = 16
_ALLOWED = {0xDB, 0xC2, 0xC4, 0xDD}
"""Tables, a progressive frame, restart intervals: what our encoder writes beside APP0 and the scans."""
_APP0, _SCAN, _END = 0xE0, 0xDA, 0xD9


def is_our_original(
    upload: bytes, picture: Image.Image, tables: dict[int, list[int]], side: int
) -> bool:
    """Whether these bytes are already what the darkroom would keep: our tables, and no metadata."""
    return (
        isinstance(picture, JpegImageFile)
        and picture.mode == "RGB"
        and max(picture.size) <= side
        and picture.quantization == tables
        and _is_bare(upload)
    )


def _is_bare(data: bytes) -> bool:
    """Only segments that draw, and nothing behind the end of the picture."""
    if data[:2] != b"\xff\xd8":
        return False
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker == _APP0:
            if length != _JFIF_BYTES or data[at + 4 : at + 9] != b"JFIF\0":
                return False
        elif marker == _SCAN:
            at = _next_marker(data, at + 2 + length)
            if data[at : at + 2] == bytes((0xFF, _END)):
                return at + 2 == len(data)
            continue
        elif marker not in _ALLOWED:
            return False
        at += 2 + length
    return False


def _next_marker(data: bytes, at: int) -> int:
    """Where the scan's data end: at the first marker that is no stuffing and no restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2
