"""The picture of the card: chosen and fixed by its hash, then uploaded and waited for. Never posts."""

from __future__ import annotations

import asyncio
import io

from services.social.channels.base import FetchMedia
from services.social.channels.fetching import fetched, unchanged
from services.social.channels.linkedin.client import PROCESSING_SECONDS, LinkedInClient, encoded
from services.social.channels.linkedin.compose import Thumbnail, best_rendition
from shared.contracts.articles import LeadImage
from shared.delivery.errors import GiveUp, TryAgain

MEDIA_SECONDS = 40.0
"""For upload and processing together; nothing is posted before, so running out of it is harmless."""
POLL_SECONDS = 0.25


class Images:
    """Pictures of one page. What is uploaded and then not used harms nobody."""

    def __init__(self, client: LinkedInClient, owner: str, fetch: FetchMedia) -> None:
        self._client = client
        self._owner = owner
        self._fetch = fetch

    async def chosen(self, image: LeadImage | None) -> Thumbnail | None:
        """The picture for the link's preview; None when there is none that LinkedIn takes."""
        rendition = best_rendition(image) if image else None
        if rendition is None:
            return None
        return Thumbnail.of(rendition, await fetched(rendition.url, self._fetch))

    async def uploaded(self, thumbnail: Thumbnail) -> str:
        """The URN of the picture, uploaded and ready. Raises `GiveUp` or `TryAgain`."""
        data = await unchanged(thumbnail, self._fetch)
        try:
            async with asyncio.timeout(MEDIA_SECONDS):
                urn, address = await self._initialized()
                # A stream, because a large value in memory would hold up the event loop.
                await self._client.upload(address, io.BytesIO(data), thumbnail.media_type)
                while (state := await self._state(urn)) != "AVAILABLE":
                    if state == "PROCESSING_FAILED":
                        raise GiveUp("LinkedIn could not process the image")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise TryAgain("LinkedIn is still working on the image", PROCESSING_SECONDS) from error
        return urn

    async def _initialized(self) -> tuple[str, str]:
        """The URN of a picture to be, and the address to upload it to."""
        answer = await self._client.ask(
            "POST",
            "images",
            params={"action": "initializeUpload"},
            json={"initializeUploadRequest": {"owner": self._owner}},
        )
        told = answer.body.get("value") if isinstance(answer.body, dict) else None
        if not isinstance(told, dict) or not {"uploadUrl", "image"} <= told.keys():
            raise TryAgain("a success without the address to upload to")
        return str(told["image"]), str(told["uploadUrl"])

    async def _state(self, urn: str) -> str:
        answer = await self._client.ask("GET", f"images/{encoded(urn)}")
        return str(answer.body.get("status")) if isinstance(answer.body, dict) else ""
