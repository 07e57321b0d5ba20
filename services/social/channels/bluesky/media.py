"""Picks the rendition a Bluesky post carries and fixes its bytes by hash. Never uploads."""

from __future__ import annotations

from services.social.channels.base import FetchMedia
from services.social.channels.bluesky.compose import Media
from services.social.channels.fetching import fetched
from services.social.channels.pictures import PictureLimits
from shared.contracts.articles import LeadImage

MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""What the network's image service turns into previews."""
PICTURES = {
    # app.bsky.embed.external `thumb`
    "card": PictureLimits(MEDIA_TYPES, "a JPEG, PNG or WebP of at most 1 MB", 1_000_000),
    # app.bsky.embed.images `image`
    "image": PictureLimits(MEDIA_TYPES, "a JPEG, PNG or WebP of at most 2 MB", 2_000_000),
}
WIDTHS = {"card": 1200, "image": 2000}
"""Pixels beyond which readers see no difference."""


async def choose(image: LeadImage, use: str, fetch: FetchMedia) -> Media | None:
    """The image of the post with the hash of its bytes; None when no rendition fits the network.

    `use` is "card" or "image". Raises `TryAgain` when the bytes cannot be had now.
    """
    limits = PICTURES[use]
    for rendition in limits.by_width(image, WIDTHS[use]):
        data = await fetched(rendition.url, fetch)
        if limits.most_bytes is None or len(data) <= limits.most_bytes:
            return Media.of(
                rendition,
                data,
                use="image" if use == "image" else "card",
                alt=image.alt,
                width=rendition.width,
                height=rendition.height,
            )
    return None
