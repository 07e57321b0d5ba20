"""Pictures as they are stored: their sizes, and where readers find them."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.articles import Rendition


@dataclass(frozen=True)
class StoredRendition:
    """One stored size of a picture; `file` is the last part of its address."""

    name: str
    file: str
    width: int
    height: int
    media_type: str
    size: int


@dataclass(frozen=True)
class BodyPicture:
    """A picture the body shows, in the order of the text.

    `alt` is what the Markdown itself says of it; empty unless it says so wherever it shows it.
    """

    media_id: str
    alt: str
    files: tuple[StoredRendition, ...]


def renditions(
    media_id: str, files: tuple[StoredRendition, ...], public_url: str
) -> tuple[Rendition, ...]:
    """The stored sizes with their absolute addresses."""
    return tuple(
        Rendition(
            name=file.name,
            url=f"{public_url}/media/{media_id}/{file.file}",
            width=file.width,
            height=file.height,
            media_type=file.media_type,
            size=file.size,
        )
        for file in files
    )
