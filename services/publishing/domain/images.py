"""Uploaded pictures made safe and small: turned upright, in sRGB, without any metadata. Pure computation."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageCms, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from services.publishing.domain.own_jpeg import is_our_original

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 50_000_000
"""A picture may unpack to no more; a small file can hold a huge one (decompression bomb)."""
ORIGINAL_SIDE = 4000
WIDTHS = (1600, 800, 400)
QUALITY = 82
ORIGINAL_QUALITY = 90


class NotAPicture(ValueError):
    """Raised for bytes that are no picture we take; the text says why."""


@dataclass(frozen=True)
class Rendered:
    """One encoded size. `name` is `original` or `w<pixels>`, `extension` is `jpg` or `png`."""

    name: str
    extension: str
    content: bytes
    width: int
    height: int

    @property
    def media_type(self) -> str:
        return "image/png" if self.extension == "png" else "image/jpeg"


def media_id(original: Rendered) -> str:
    """32 hex digits of the SHA-256 of the cleaned original: the same picture has the same address."""
    return hashlib.sha256(original.content).hexdigest()[:32]


def render_sizes(upload: bytes) -> list[Rendered]:
    """The cleaned original and its smaller JPEGs, largest first. Raises `NotAPicture`.

    `original` keeps transparency as PNG and is a JPEG otherwise, at most 4000 pixels a side.
    `w1600` is always there and at most 1600 wide; `w800` and `w400` where the picture is wider.
    """
    picture, as_is = _opened(upload)
    picture.thumbnail((ORIGINAL_SIDE, ORIGINAL_SIDE), Image.Resampling.LANCZOS)
    flat = picture
    if picture.mode == "RGBA":
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(picture, mask=picture.getchannel("A"))
        sizes = [_encoded("original", picture, "png")]
    else:
        sizes = [
            Rendered("original", "jpg", upload, picture.width, picture.height)
            if as_is
            else _encoded("original", picture, "jpg", ORIGINAL_QUALITY)
        ]
    for width in WIDTHS:
        if width == WIDTHS[0] or flat.width > width:
            # Each size is made from the one before: nearly the same pixels for a third of the work.
            if flat.width > width:
                height = max(1, round(flat.height * width / flat.width))
                flat = flat.resize((width, height), Image.Resampling.LANCZOS)
            sizes.append(_encoded(f"w{width}", flat, "jpg"))
    return sizes


def _opened(upload: bytes) -> tuple[Image.Image, bool]:
    """The first frame, upright, as RGB or RGBA in sRGB; and whether it is an original of ours already."""
    try:
        with Image.open(io.BytesIO(upload), formats=FORMATS) as probe:
            if probe.width * probe.height > MAX_PIXELS:
                raise NotAPicture(f"has more than {MAX_PIXELS // 1_000_000} million pixels")
            probe.verify()
        frame = Image.open(io.BytesIO(upload), formats=FORMATS)
        frame.load()
        as_is = is_our_original(upload, frame, _our_tables(), ORIGINAL_SIDE)
        profile = frame.info.get("icc_profile")
        picture = ImageOps.exif_transpose(frame)
        clear = picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info
        picture = _srgb(picture, profile).convert("RGBA" if clear else "RGB")
    except NotAPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPicture(f"has more than {MAX_PIXELS // 1_000_000} million pixels") from error
    except Exception as error:  # decoders raise whatever broken bytes lead them into
        raise NotAPicture("must be a JPEG, PNG, WebP or GIF picture") from error
    # A fresh image carries no EXIF, XMP, comment or profile into the encoders.
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    return bare, as_is


@cache
def _our_tables() -> dict[int, list[int]]:
    """The quantization tables of every original that we have encoded."""
    sample = _encoded("original", Image.new("RGB", (8, 8)), "jpg", ORIGINAL_QUALITY)
    encoded = Image.open(io.BytesIO(sample.content))
    assert isinstance(encoded, JpegImageFile)
    return dict(encoded.quantization)


def _srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as sRGB has them, since the profile itself is taken out."""
    if not profile or picture.mode not in {"RGB", "RGBA", "CMYK"}:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGB" if picture.mode == "CMYK" else picture.mode
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, target, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError):
        return picture  # an unreadable profile is no reason to refuse the picture


def _encoded(name: str, picture: Image.Image, extension: str, quality: int = QUALITY) -> Rendered:
    out = io.BytesIO()
    if extension == "png":
        picture.save(out, "PNG", optimize=False)
    else:
        picture.save(out, "JPEG", quality=quality, progressive=True, optimize=True)
    return Rendered(name, extension, out.getvalue(), picture.width, picture.height)
