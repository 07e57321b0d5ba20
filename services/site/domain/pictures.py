"""A lead image as a page needs it: one source, a set of sizes, and its words. Never a size of zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.articles import LeadImage, Rendition

SHARED_PIXELS = 50_000
"""Google takes no smaller image for an article (structured data reference, Article)."""


@dataclass(frozen=True)
class Picture:
    """Addresses are relative to our own origin, so that the page works under each of its names."""

    src: str
    srcset: str
    width: int
    height: int
    alt: str
    caption: str | None
    credit: str | None


def sizes(image: LeadImage | None) -> Sequence[Rendition]:
    """The stored sizes, largest first; the upload itself only where there is nothing else."""
    if image is None:
        return ()
    made = [one for one in image.renditions if one.name != "original"] or list(image.renditions)
    return sorted(made, key=lambda one: one.width, reverse=True)


def picture(image: LeadImage | None, public_url: str) -> Picture | None:
    """None where there is nothing to show."""
    stored = sizes(image)
    if image is None or not stored:
        return None
    return Picture(
        src=stored[0].url.removeprefix(public_url),
        srcset=", ".join(f"{one.url.removeprefix(public_url)} {one.width}w" for one in stored),
        width=stored[0].width,
        height=stored[0].height,
        alt=image.alt,
        caption=image.caption,
        credit=image.credit,
    )


def shared_images(image: LeadImage | None) -> list[str]:
    """Absolute addresses for those who show the article elsewhere, largest first."""
    return [one.url for one in sizes(image) if one.width * one.height >= SHARED_PIXELS]
