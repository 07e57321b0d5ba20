"""Uploaded pictures: upright, without metadata, in the sizes promised; anything else refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.publishing.domain.images import NotAPicture, media_id, render_sizes


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def test_a_photo_is_turned_upright_and_loses_its_metadata() -> None:
    photo = Image.new("RGB", (60, 40), "red")
    photo.paste("blue", (0, 0, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90 degrees clockwise to see it upright
    exif[0x013B] = "Ada Quill"
    gps = exif.get_ifd(0x8825)
    gps[1] = "N"
    original = render_sizes(encoded(photo, exif=exif, comment=b"secret"))[0]
    assert (original.width, original.height) == (40, 60)
    picture = opened(original.content)
    assert not picture.getexif()
    assert {"exif", "comment", "icc_profile", "xmp"}.isdisjoint(picture.info)
    assert b"Ada" not in original.content
    assert b"secret" not in original.content
    red, _, blue = picture.getpixel((20, 5))  # type: ignore[misc]
    assert blue > 200 > red


def test_sizes_go_down_and_never_up() -> None:
    large = render_sizes(encoded(Image.new("RGB", (5000, 2500))))
    assert [(one.name, one.width, one.height) for one in large] == [
        *(("original", 4000, 2000), ("w1600", 1600, 800), ("w800", 800, 400), ("w400", 400, 200))
    ]
    small = render_sizes(encoded(Image.new("RGB", (300, 200))))
    assert [(one.name, one.width) for one in small] == [("original", 300), ("w1600", 300)]


def test_transparency_stays_in_the_original_and_is_white_elsewhere() -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    original, jpeg = render_sizes(encoded(picture, "PNG"))
    assert (original.extension, original.media_type) == ("png", "image/png")
    assert opened(original.content).mode == "RGBA"
    assert (jpeg.extension, opened(jpeg.content).getpixel((5, 5))) == ("jpg", (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_format_is_taken(kind: str) -> None:
    assert len(render_sizes(encoded(Image.new("RGB", (20, 20), "green"), kind))) == 2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_colour_mode_is_taken(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    sizes = render_sizes(encoded(Image.new(mode, (8, 8)), kind))
    assert opened(sizes[-1].content).mode == "RGB"


def test_only_the_first_frame_of_an_animation_is_kept() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    jpeg = render_sizes(animation)[-1]
    red, _, blue = opened(jpeg.content).getpixel((5, 5))  # type: ignore[misc]
    assert red > 200 > blue


def test_a_decompression_bomb_is_refused_before_it_is_unpacked() -> None:
    for side in (7_200, 20_000):
        bomb = encoded(Image.new("1", (side, side)), "PNG")
        assert len(bomb) < 200_000
        with pytest.raises(NotAPicture, match="million pixels"):
            render_sizes(bomb)


def test_the_same_picture_has_the_same_id_whatever_its_metadata() -> None:
    photo = Image.linear_gradient("L").convert("RGB")
    plain = render_sizes(encoded(photo))[0]
    commented = render_sizes(encoded(photo, comment=b"by Ada"))[0]
    assert media_id(plain) == media_id(commented)
    assert len(media_id(plain)) == 32


PICTURE = encoded(Image.linear_gradient("L").resize((16, 16)).convert("RGB"), "PNG")


@settings(max_examples=60)
@given(st.integers(0, len(PICTURE) - 1), st.binary(min_size=1, max_size=8))
def test_broken_bytes_are_refused_or_read(at: int, noise: bytes) -> None:
    try:
        sizes = render_sizes(PICTURE[:at] + noise + PICTURE[at + len(noise) :])
    except NotAPicture:
        return
    assert sizes[0].name == "original"


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        render_sizes(content)
