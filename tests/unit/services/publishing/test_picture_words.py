"""Crops, inline images and overrides: what is taken is inside the picture, what is not is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.publishing.domain.content import Content
from services.publishing.domain.picture_text import CropText, InlineImageText
from shared.contracts.articles import Crop, LeadImage

ID = "0" * 32
NUMBER = st.one_of(
    st.floats(-0.1, 1.1), st.floats(), st.integers(-2, 2), st.sampled_from([0, 1, 0.1, 0.7, 1e-300])
)
CROP = st.fixed_dictionaries({"x": NUMBER, "y": NUMBER, "width": NUMBER, "height": NUMBER})


def lead(**fields: Any) -> dict[str, Any]:
    return {"lead_image": {"media_id": ID, "alt": "x", **fields}}


@given(CROP)
@example({"x": 0.7, "y": 0.1, "width": 0.3 + 1e-9, "height": 0.9})
@example({"x": 1, "y": 1, "width": 1e-9, "height": 1e-9})
def test_a_crop_that_is_taken_lies_inside_and_has_an_area(given: dict[str, float]) -> None:
    try:
        crop = CropText.model_validate(given)
    except ValidationError:
        return
    assert 0 <= crop.x < crop.x + crop.width <= 1
    assert 0 <= crop.y < crop.y + crop.height <= 1
    for side in ("x", "y", "width", "height"):
        assert getattr(crop, side) == pytest.approx(given[side], abs=1e-5)


@given(st.floats(0, 0.999), st.floats(0, 0.999), st.floats(0.001, 1), st.floats(0.001, 1))
def test_every_crop_inside_is_taken(x: float, y: float, width: float, height: float) -> None:
    width, height = min(width, 1 - x), min(height, 1 - y)
    if min(width, height) < 0.001:
        return
    crop = CropText(x=x, y=y, width=width, height=height)
    assert (crop.x, crop.y) == (x, y)
    assert (crop.width, crop.height) == pytest.approx((width, height))


@pytest.mark.parametrize(
    ("crops", "field"),
    [
        ({"2x1": {"x": 0, "y": 0, "width": 1, "height": 1}}, "lead_image.crops.2x1.[key]"),
        ({"1x1": {"x": 0, "y": 0, "width": 1}}, "lead_image.crops.1x1.height"),
        ({"1x1": {"x": 0.5, "y": 0, "width": 0.6, "height": 1}}, "lead_image.crops.1x1"),
        ({"1x1": {"x": 0, "y": 0.5, "width": 1, "height": 0.6}}, "lead_image.crops.1x1"),
        ({"1x1": {"x": 0, "y": 0, "width": 0, "height": 1}}, "lead_image.crops.1x1.width"),
        ({"1x1": {"x": -1, "y": 0, "width": 1, "height": 1}}, "lead_image.crops.1x1.x"),
        ({"1x1": {"x": "a", "y": 0, "width": 1, "height": 1}}, "lead_image.crops.1x1.x"),
        ({"1x1": [0, 0, 1, 1]}, "lead_image.crops.1x1"),
    ],
)
def test_a_wrong_crop_is_named(crops: Any, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Content.model_validate(lead(crops=crops))
    assert ".".join(str(part) for part in caught.value.errors()[0]["loc"]) == field


def test_crops_come_back_and_go_out() -> None:
    crops = {"16x9": {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.25}}
    content = Content.model_validate(
        {**lead(crops=crops), "images": [{"media_id": ID, "crops": crops, "focus": [0, 1]}]}
    )
    stored = content.model_dump()
    again = Content.stored(stored)
    assert again == content
    assert again.images[0].model_dump() == content.images[0].model_dump()
    assert isinstance(again.images[0], InlineImageText)
    assert again.lead_image is not None
    assert LeadImage(**again.lead_image.model_dump()).crops == {"16x9": Crop(**crops["16x9"])}


def test_what_was_stored_before_these_fields_still_loads() -> None:
    new = {"direction", "search", "share", "images", "related", "translation_group"}
    old = {name: value for name, value in Content().model_dump().items() if name not in new}
    old |= {
        "bylines": [{"name": "Ada", "role": None, "bio": None, "url": None}],
        "lead_image": {
            "media_id": ID,
            "alt": "x",
            "caption": None,
            "credit": None,
            "focus": [0.1, 0.9],
        },
    }
    content = Content.stored(old)
    assert content == Content.model_validate(
        {"bylines": ["Ada"], "lead_image": {"media_id": ID, "alt": "x", "focus": [0.1, 0.9]}}
    )
    assert content.model_dump()["lead_image"]["crops"] == {}
    assert [getattr(content, name) for name in sorted(new)] == [None, (), (), None, None, None]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"images": [{"media_id": ID}] * 2}, "images"),
        ({"images": [{"media_id": f"{n:032x}"} for n in range(51)]}, "images"),
        ({"images": [{"alt": "x"}]}, "images.0.media_id"),
        ({"related": ["nope"]}, "related.0"),
        ({"related": ["01890000-0000-7000-8000-000000000000"] * 2}, "related"),
        ({"related": [f"01890000-0000-7000-8000-{n:012x}" for n in range(11)]}, "related"),
        ({"translation_group": "Not a slug"}, "translation_group"),
        ({"translation_group": "x" * 121}, "translation_group"),
        ({"direction": "up"}, "direction"),
        ({"search": {"title": "x" * 301}}, "search.title"),
        ({"search": {"keywords": "x"}}, "search.keywords"),
        ({"share": {"image": {"media_id": "x"}}}, "share.image.media_id"),
        ({"share": {"description": "a\x08"}}, "share.description"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Content.model_validate(fields)
    assert ".".join(str(part) for part in caught.value.errors()[0]["loc"]) == field


def test_as_many_as_are_allowed() -> None:
    content = Content.model_validate(
        {
            "images": [{"media_id": f"{n:032x}"} for n in range(50)],
            "related": [f"01890000-0000-7000-8000-{n:012x}" for n in range(10)],
        }
    )
    assert (len(content.images), len(content.related)) == (50, 10)
