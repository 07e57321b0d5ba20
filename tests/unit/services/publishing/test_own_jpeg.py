"""A picture that left through the darkroom comes back as the same picture, and only such a one."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.publishing.domain.images import NotAPicture, media_id, render_sizes


def encoded(
    kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (120, 80), **options: object
) -> bytes:
    out = io.BytesIO()
    picture = Image.linear_gradient("L").resize(size).convert(mode)
    picture.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "upload",
    [encoded(), encoded(size=(1, 1)), encoded("PNG", "RGBA"), encoded("WEBP"), encoded("GIF", "P")],
)
def test_an_original_comes_back_as_itself(upload: bytes) -> None:
    first = render_sizes(upload)
    again = render_sizes(first[0].content)
    assert again[0].content == first[0].content
    assert media_id(again[0]) == media_id(first[0])


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


@pytest.mark.parametrize(
    "spoil",
    [
        lambda own: own[:2] + segment(0xE1, b"Exif\0\0secret place") + own[2:],
        lambda own: own[:2] + segment(0xFE, b"a secret comment") + own[2:],
        lambda own: own[:2] + segment(0xE2, b"ICC_PROFILE\0secret") + own[2:],
        lambda own: own + b"secret behind the end",
        lambda own: own[:2] + segment(0xE0, b"JFXX\0secret thumbnail") + own[2:],
    ],
)
def test_nothing_beside_the_picture_comes_through(spoil: object) -> None:
    own = render_sizes(encoded())[0].content
    kept = render_sizes(spoil(own))[0].content  # type: ignore[operator]
    assert b"secret" not in kept


def test_what_was_encoded_elsewhere_is_encoded_anew() -> None:
    for quality in (50, 100):
        upload = encoded(quality=quality, progressive=True)
        assert render_sizes(upload)[0].content != upload


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_original_is_refused_or_drawn_anew(damage: list[tuple[int, int]]) -> None:
    content = bytearray(render_sizes(encoded())[0].content)
    for at, value in damage:
        content[at % len(content)] = value
    try:
        sizes = render_sizes(bytes(content))
    except NotAPicture:
        return
    assert sizes[0].content[:2] == b"\xff\xd8"
