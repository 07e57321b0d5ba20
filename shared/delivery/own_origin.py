"""Our own public origin as other services reach it: is the page live, and the bytes of a picture."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import aiohttp
import structlog

from shared.contracts.articles import Article
from shared.delivery.errors import GiveUp, NotReady

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.01
WAIT_SECONDS = 2.0
KEPT_RENDITIONS = 16
_RENDITION = re.compile(
    r"/media/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+\.[a-z]+|/cards/[A-Za-z0-9-]+/[0-9a-f]+-[a-z]+\.jpg"
)


class OwnOrigin:
    """Only for addresses that Herald itself made; anything a user gave goes through the guard."""

    def __init__(
        self, session: Callable[[], aiohttp.ClientSession], *, public_url: str, origin: str
    ) -> None:
        self._session = session
        self._public_url, self._origin = public_url, origin
        self._live: dict[str, asyncio.Task[bool]] = {}
        self._renditions: dict[str, bytes] = {}

    async def is_live(self, article: Article) -> bool:
        """Whether the page answers 200 within two seconds; asked once for all who wait for it."""
        task = self._live.get(article.url)
        if task is None:
            task = asyncio.create_task(self._poll(self._inside(article.url)))
            self._live[article.url] = task
            task.add_done_callback(lambda _: self._live.pop(article.url, None))
        return await asyncio.shield(task)

    async def rendition(self, url: str) -> bytes:
        """The bytes at an address of one of our pictures or cards; they never change, so the last few are kept.

        Raises `NotReady`, or `GiveUp` for any other address: a previewed snapshot may name one.
        """
        path = url.removeprefix(self._public_url)
        if path == url or not _RENDITION.fullmatch(path):
            raise GiveUp("the image is not at one of our own addresses")
        if url not in self._renditions:
            try:
                async with self._session().get(
                    self._origin + path,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=15),
                ) as answer:
                    if answer.status != 200:
                        raise NotReady(f"the image answers {answer.status}")
                    content = await answer.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                raise NotReady(f"cannot read the image: {error}") from error
            while len(self._renditions) >= KEPT_RENDITIONS:
                self._renditions.pop(next(iter(self._renditions)))
            self._renditions[url] = content
        return self._renditions[url]

    async def _poll(self, url: str) -> bool:
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while True:
            try:
                async with self._session().head(
                    url, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=2)
                ) as answer:
                    if answer.status == 200:
                        return True
            except (aiohttp.ClientError, TimeoutError) as error:
                log.debug("page not reachable", url=url, error=repr(error))
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)

    def _inside(self, url: str) -> str:
        return self._origin + url.removeprefix(self._public_url)
