"""A lead image beyond what a network takes: another rendition of it, or none and the reason; never a silent failure."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import pytest
from PIL import Image

from shared.contracts.articles import LeadImage, Rendition
from shared.contracts.outlets import DeliveryState

SocialDesk = Any  # the fixture's own type lives in conftest, which tests do not import

HUGE = (12_000, 6_750, 20_500_000)
"""Pixels and bytes of a photographer's original; no network takes it."""
FITTING = (1_200, 675)
CARDED = {"bluesky", "instagram", "linkedin"}
"""Where a picture comes from us or from nobody. The others show pictures of a link's own page."""


@cache
def jpeg(width: int, height: int, size: int = 0) -> bytes:
    """A real one, with what is no picture behind its end up to `size`."""
    buffer = io.BytesIO()
    Image.new("L", (width, height), 90).save(buffer, "JPEG", quality=5)
    return buffer.getvalue().ljust(size, b"\0")


def pictured(desk: SocialDesk, *sizes: tuple[int, ...]) -> Any:
    """An article whose lead image has these renditions, which our origin really hands out."""
    renditions = []
    for size in sizes:
        name, data = f"w{size[0]}", jpeg(*size)
        desk.pictures[f"m1/{name}.jpg"] = data
        renditions.append(
            Rendition(
                name=name,
                url=f"{desk.url}/media/m1/{name}.jpg",
                width=size[0],
                height=size[1],
                media_type="image/jpeg",
                size=len(data),
            )
        )
    lead = LeadImage(media_id="m1", alt="A white ferry at dusk", renditions=tuple(renditions))
    return desk.article(lead_image=lead)


def shown(post: Any) -> list[str]:
    """Addresses of the pictures that a reader sees."""
    return [image["url"] for image in post.images] or [
        url for url in [(post.card or {}).get("image")] if url
    ]


async def test_of_a_huge_original_a_rendition_is_taken_that_the_network_takes(
    desk: SocialDesk,
) -> None:
    article = pictured(desk, HUGE, FITTING)
    await desk.take_in(article)
    await desk.work_it_off(article)
    delivery = await desk.only(article)
    assert delivery.state is DeliveryState.CONFIRMED, delivery.reason
    [post] = desk.posts()
    if not desk.spec.capabilities.pictures:
        assert shown(post) == []
        assert "image" in delivery.reason
        return
    assert len(shown(post)) == 1
    assert delivery.reason is None


@pytest.mark.parametrize("sizes", [(HUGE,), ()])
async def test_without_a_rendition_that_it_takes_the_reason_is_told(
    desk: SocialDesk, sizes: tuple[tuple[int, ...], ...]
) -> None:
    article = pictured(desk, *sizes)
    await desk.take_in(article)
    await desk.work_it_off(article)
    delivery = await desk.only(article)
    posts = desk.posts()
    assert delivery.state is (DeliveryState.CONFIRMED if posts else DeliveryState.FAILED)
    assert len(posts) == (delivery.state is DeliveryState.CONFIRMED)
    carded = desk.spec.name in CARDED
    assert any(shown(post) for post in posts) or not carded
    if carded or not any(shown(post) for post in posts):
        assert "image" in delivery.reason
        assert ("with the card instead of the lead image" in delivery.reason) == carded
        assert (await desk.only(article)).line().reason == delivery.reason


async def test_an_article_without_a_picture_is_shown_with_its_card_or_with_none(
    desk: SocialDesk,
) -> None:
    article = desk.article(lead_image=None)
    await desk.take_in(article)
    await desk.work_it_off(article)
    delivery = await desk.only(article)
    assert delivery.state is DeliveryState.CONFIRMED, delivery.reason
    assert delivery.reason is None
    [post] = desk.posts()
    assert len(shown(post)) == (desk.spec.name in CARDED)
