"""A photograph is cut around what matters in it, and never unpacks to more than a card needs."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared.cards.card import CardPicture
from shared.cards.pictures import filling, region
from shared.contracts.articles import Crop

LINK, TALL = (1200, 630), (1080, 1350)
PLAIN = CardPicture(url="", focus=(0.5, 0.5), crop=None, credit="")


def encoded(image: Image.Image, form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


@pytest.mark.parametrize("size", [LINK, TALL])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_it_fills_the_card(size: tuple[int, int], mode: str) -> None:
    found = filling(encoded(Image.new(mode, (1600, 1400))), PLAIN, size)
    assert found is not None
    assert (found.size, found.mode) == (size, "RGB")


def test_what_is_clear_becomes_white() -> None:
    found = filling(encoded(Image.new("RGBA", (1600, 900), (0, 0, 0, 0)), "PNG"), PLAIN, LINK)
    assert found is not None
    assert found.getpixel((600, 300)) == (255, 255, 255)


def test_the_focal_point_stays_above_the_words() -> None:
    _, top, _, bottom = region((2000, 4000), None, (0.5, 0.5), LINK)
    assert (2000 - top) / (bottom - top) == pytest.approx(0.36)


def test_it_keeps_inside_the_crop_a_person_chose() -> None:
    crop = Crop(x=0.5, y=0.25, width=0.4, height=0.5)
    left, top, right, bottom = region((2000, 1000), crop, (0.0, 0.0), LINK)
    assert left >= 1000
    assert right <= 1800
    assert top >= 250
    assert bottom <= 750
    empty = Crop(x=0.5, y=0.5, width=0.0, height=0.0)
    assert region((2000, 1000), empty, (0.5, 0.5), LINK) == region(
        (2000, 1000), None, (0.5, 0.5), LINK
    )


FRACTION = st.floats(-1, 2, allow_nan=False)


@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    focus=st.tuples(FRACTION, FRACTION),
    crop=st.none() | st.builds(Crop, x=FRACTION, y=FRACTION, width=FRACTION, height=FRACTION),
    size=st.sampled_from([LINK, TALL]),
)
def test_the_part_is_inside_and_has_the_ratio(
    width: int,
    height: int,
    focus: tuple[float, float],
    crop: Crop | None,
    size: tuple[int, int],
) -> None:
    left, top, right, bottom = region((width, height), crop, focus, size)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1], rel=1e-6)


def bomb(width: int, height: int) -> bytes:
    """A PNG whose head promises so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    chunks = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("pixels", [(10_000, 5001), (30_000, 30_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_unopened(pixels: tuple[int, int]) -> None:
    assert filling(bomb(*pixels), PLAIN, LINK) is None


@given(content=st.binary(max_size=200))
def test_other_bytes_are_no_picture(content: bytes) -> None:
    assert filling(content, PLAIN, LINK) is None


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_half_a_picture_is_none(keep: float) -> None:
    content = encoded(Image.effect_noise((1300, 700), 80).convert("RGB"))
    assert filling(content[: int(len(content) * keep)], PLAIN, LINK) is None


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF"])
def test_other_forms_are_not_opened(form: str) -> None:
    assert filling(encoded(Image.new("RGB", (1300, 700)), form), PLAIN, LINK) is None
