"""Pictures on their way in: each is found or fetched once, uploaded once, and never lost in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

import aiohttp

from services.standalone.client import ApiError, HeraldClient
from services.standalone.transfer.shelf import Finder, Shelf
from shared.web.outbound import Forbidden, OutboundPolicy, guarded_request, guarded_session

MAX_BYTES = 20 * 1024 * 1024
FETCH_SECONDS = 30.0
REDIRECTS = 3
AT_ONCE = 4

Patiently = Callable[[Callable[[], Awaitable[str]]], Awaitable[str]]
"""Calls again while Herald cannot be reached."""


class Gallery:
    """Answers the media id of a picture by its old address; None where it cannot be had."""

    def __init__(
        self,
        client: HeraldClient,
        shelf: Shelf,
        patiently: Patiently,
        policy: OutboundPolicy | None,
        *,
        trial: bool,
    ) -> None:
        """Fetches what the shelf does not hold where there is a `policy`. A `trial` uploads nothing."""
        self._client, self._shelf, self._trial = client, shelf, trial
        self._finder = Finder(shelf.names())
        self._patiently = patiently
        self._policy = policy
        self._session: aiohttp.ClientSession | None = None
        self._pictures: dict[str, asyncio.Task[str | None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self.missing: dict[str, str] = {}
        """Why, by address."""
        self.taken = 0

    async def close(self) -> None:
        for task in self._pictures.values():
            task.cancel()
        if self._session is not None:
            await self._session.close()

    async def media_id(self, address: str, near: str = "") -> str | None:
        name = self._finder.find(address, near)
        key = name or address
        if key not in self._pictures:
            self._pictures[key] = asyncio.create_task(self._take(address, name))
        return await self._pictures[key]

    async def _take(self, address: str, name: str | None) -> str | None:
        async with self._room:
            try:
                content = self._read(name) if name else await self._fetch(address)
            except (Missing, Forbidden) as error:
                self.missing[address] = str(error)
                return None
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.missing[address] = f"could not be fetched: {error or type(error).__name__}"
                return None
            if self._trial:
                return None
            try:
                media_id = await self._patiently(lambda: self._client.upload_bytes(content))
            except ApiError as error:
                if error.status not in {413, 422}:
                    raise
                self.missing[address] = str(error)
                return None
            self.taken += 1
            return media_id

    def _read(self, name: str) -> bytes:
        if self._shelf.size(name) > MAX_BYTES:
            raise Missing(f"{name} has more than 20 MB")
        with self._shelf.open(name) as file:
            return file.read()

    async def _fetch(self, address: str) -> bytes:
        if self._policy is None:
            raise Missing("is not among the files; --fetch-images gets it from its old address")
        if self._session is None:
            self._session = guarded_session(self._policy)
        for _ in range(REDIRECTS + 1):
            status, headers, content = await guarded_request(
                self._session,
                self._policy,
                "GET",
                address,
                timeout_seconds=FETCH_SECONDS,
                max_bytes=MAX_BYTES + 1,
            )
            # Each step is checked by the guard like the first.
            if status not in {301, 302, 303, 307, 308} or "location" not in headers:
                break
            address = urljoin(address, headers["location"])
        if status != 200:
            raise Missing(f"its old address answers {status}")
        if len(content) > MAX_BYTES:
            raise Missing("has more than 20 MB")
        return content


class Missing(Exception):
    """Raised for a picture that cannot be had; the text says why."""
