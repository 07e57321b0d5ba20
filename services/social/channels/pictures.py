"""Chooses which rendition of a lead image a network gets, and says why where it gets none. Reads no bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict

from shared.contracts.articles import LeadImage, Rendition

LEFT_OUT = "left_out"
"""The key of a payload that says why a post goes without the article's lead image, or with a card instead."""


class Picture(BaseModel):
    """The picture of a post, fixed by its hash; the bytes are fetched again when it is sent."""

    model_config = ConfigDict(frozen=True)

    url: str
    sha256: str
    size: int
    """Bytes."""
    media_type: str

    @classmethod
    def of(cls, rendition: Rendition, data: bytes, **more: object) -> Self:
        """What is sent of `rendition`, with the hash of the bytes that were read."""
        told = {
            "url": rendition.url,
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "media_type": rendition.media_type,
        }
        return cls.model_validate({**told, **more})

    @property
    def filename(self) -> str:
        return f"lead.{self.media_type.partition('/')[2]}"


@dataclass(frozen=True)
class PictureLimits:
    """What one network takes."""

    media_types: Collection[str]
    words: str
    """The limits as a person reads them: "a JPEG or PNG of at most 4 MB"."""
    most_bytes: int | None = None
    also: Callable[[Rendition], bool] = lambda _: True
    """Limits of pixels and shape."""

    def taken(self, image: LeadImage) -> list[Rendition]:
        """The renditions that the network takes, in the image's own order."""
        return [
            each
            for each in image.renditions
            if each.media_type in self.media_types
            and (self.most_bytes is None or each.size <= self.most_bytes)
            and self.also(each)
        ]

    def largest_shown(
        self, image: LeadImage, shown: Callable[[Rendition], bool]
    ) -> Rendition | None:
        """The largest that the network shows in full, else the smallest that it takes at all."""
        taken = self.taken(image)
        if full := [each for each in taken if shown(each)]:
            return max(full, key=lambda each: (each.width * each.height, -each.size))
        return min(taken, key=lambda each: each.width * each.height, default=None)

    def by_width(self, image: LeadImage, enough: int) -> list[Rendition]:
        """Best first: the smallest of at least `enough` pixels of width, else the widest."""
        return sorted(
            self.taken(image), key=lambda one: (one.width < enough, abs(one.width - enough))
        )

    def left_out(self, title: str, *, card: bool = False) -> str:
        """Why `title`, a network, shows no picture or the article's `card`: for the person at the board."""
        shown = "with the card instead of" if card else "without"
        return f"{shown} the lead image: no rendition of it is what {title} takes, {self.words}"
