"""Taking in pictures: cleaned, sized, stored once. The same picture again is the same picture."""

from __future__ import annotations

import asyncio

from services.publishing.domain.errors import Invalid
from services.publishing.domain.images import NotAPicture, media_id, render_sizes
from services.publishing.domain.stored_pictures import StoredRendition
from services.publishing.usecases.ports import Newsroom, StoredPicture
from shared.web.identity import Identity

AT_ONCE = 2
"""Pictures being unpacked at a time: each may take 200 MB."""


class Darkroom:
    """Renders pictures off the event loop, a few at a time."""

    def __init__(self, room: Newsroom) -> None:
        self._room = room
        self._benches = asyncio.Semaphore(AT_ONCE)

    async def take_in(self, upload: bytes, person: Identity) -> StoredPicture:
        """Store the upload with its sizes. Raises `Invalid` naming `file`."""
        async with self._benches:
            try:
                sizes = await asyncio.to_thread(render_sizes, upload)
            except NotAPicture as error:
                raise Invalid({"file": str(error)}) from error
        picture = StoredPicture(
            media_id(sizes[0]),
            sizes[0].width,
            sizes[0].height,
            tuple(
                StoredRendition(
                    name=size.name,
                    file=f"{size.name}.{size.extension}",
                    width=size.width,
                    height=size.height,
                    media_type=size.media_type,
                    size=len(size.content),
                )
                for size in sizes
            ),
        )
        stored = await self._room.pictures.find(picture.id)
        if stored is not None:
            return stored
        await self._room.pictures.put(
            picture, [size.content for size in sizes], person.subject, self._room.clock.now()
        )
        return picture
