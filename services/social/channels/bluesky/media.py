"""Picks the rendition a Bluesky post carries and fixes its bytes by hash. Never uploads."""

from __future__ import annotations

import hashlib

import aiohttp

from services.social.channels.base import FetchMedia
from services.social.channels.bluesky.compose import Media
from shared.contracts.articles import LeadImage, Rendition
from shared.delivery.errors import GiveUp, TryAgain

MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""What the network's image service turns into previews."""
LIMITS = {"card": (1_000_000, 1200), "image": (2_000_000, 2000)}
"""Greatest bytes (app.bsky.embed.external `thumb`, app.bsky.embed.images `image`) and a width in
pixels beyond which readers see no difference."""


def candidates(image: LeadImage, use: str) -> list[Rendition]:
    """Renditions the network takes, best first: the smallest that is wide enough, else the widest."""
    limit, width = LIMITS[use]
    fitting = [
        rendition
        for rendition in image.renditions
        if rendition.size <= limit and rendition.media_type in MEDIA_TYPES
    ]
    return sorted(fitting, key=lambda one: (one.width < width, abs(one.width - width)))


async def choose(image: LeadImage, use: str, fetch: FetchMedia) -> Media | None:
    """The image of the post with the hash of its bytes; None when no rendition fits the network.

    `use` is "card" or "image". Raises `TryAgain` when the bytes cannot be had now.
    """
    for rendition in candidates(image, use):
        data = await fetched(rendition.url, fetch)
        if len(data) <= LIMITS[use][0]:
            return Media(
                use="image" if use == "image" else "card",
                url=rendition.url,
                sha256=hashlib.sha256(data).hexdigest(),
                size=len(data),
                media_type=rendition.media_type,
                alt=image.alt,
                width=rendition.width,
                height=rendition.height,
            )
    return None


async def frozen_bytes(media: Media, fetch: FetchMedia) -> bytes:
    """The bytes that were composed with. Raises `GiveUp` when the address now serves others."""
    data = await fetched(media.url, fetch)
    if hashlib.sha256(data).hexdigest() != media.sha256:
        raise GiveUp("the image is no longer the one that was composed with")
    return data


async def fetched(url: str, fetch: FetchMedia) -> bytes:
    """The bytes at one of our own addresses. Raises `TryAgain` when the fetch fails."""
    try:
        return await fetch(url)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise TryAgain(f"cannot fetch the image: {type(error).__name__}") from error
