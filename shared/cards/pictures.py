"""A photograph cut to fill a card around what matters in it. Refuses what would unpack to too much."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from shared.cards.card import CardPicture
from shared.contracts.articles import Crop

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
"""A small file can hold a huge picture (decompression bomb)."""
_FOCUS_AT = 0.36
"""Where the focal point comes to lie from the top: the words cover what is further down."""


def filling(content: bytes, picture: CardPicture, size: tuple[int, int]) -> Image.Image | None:
    """The picture at exactly `size` pixels; None for bytes that are no picture we open."""
    opened = _opened(content, size)
    if opened is None:
        return None
    left, top, right, bottom = region(opened.size, picture.crop, picture.focus, size)
    return opened.resize(size, Image.Resampling.LANCZOS, box=(left, top, right, bottom))


def region(
    picture: tuple[int, int],
    crop: Crop | None,
    focus: tuple[float, float],
    size: tuple[int, int],
) -> tuple[float, float, float, float]:
    """The largest part with the ratio of `size`, inside the crop if a person chose one."""
    width, height = picture
    left, top, right, bottom = 0.0, 0.0, float(width), float(height)
    if crop is not None:
        left, top = _within(crop.x, 1) * width, _within(crop.y, 1) * height
        right = min(right, left + crop.width * width)
        bottom = min(bottom, top + crop.height * height)
        if right - left < 1 or bottom - top < 1:
            return region(picture, None, focus, size)
    ratio = size[0] / size[1]
    wide = min(right - left, (bottom - top) * ratio)
    high = wide / ratio
    x = left + _within(_within(focus[0], 1) * width - left - wide / 2, right - left - wide)
    y = top + _within(_within(focus[1], 1) * height - top - high * _FOCUS_AT, bottom - top - high)
    return x, y, min(x + wide, right), min(y + high, bottom)


def _opened(content: bytes, size: tuple[int, int]) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.draft("RGB", (size[0] * 2, size[1] * 2))
            upright = ImageOps.exif_transpose(picture)
            flat = upright.convert("RGBA") if upright.mode != "RGB" else upright
    except Exception:  # decoders raise whatever broken bytes lead them into
        return None
    if flat.mode == "RGB":
        return flat
    bare = Image.new("RGB", flat.size, "white")
    bare.paste(flat, mask=flat.getchannel("A"))
    return bare


def _within(value: float, most: float) -> float:
    return min(max(value, 0.0), max(most, 0.0))
