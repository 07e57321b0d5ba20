"""Reads the bytes of our own pictures for a channel, and holds them to what was composed. Never uploads."""

from __future__ import annotations

import hashlib

import aiohttp

from services.social.channels.base import FetchMedia
from services.social.channels.pictures import Picture
from shared.delivery.errors import GiveUp, NotReady


async def fetched(url: str, fetch: FetchMedia) -> bytes:
    """The bytes at one of our own addresses. Raises `NotReady` when they cannot be had now."""
    try:
        return await fetch(url)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NotReady(f"cannot fetch the image: {type(error).__name__}") from error


async def unchanged(picture: Picture, fetch: FetchMedia) -> bytes:
    """The bytes that were composed with. Raises `GiveUp` when the address now serves others."""
    data = await fetched(picture.url, fetch)
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        raise GiveUp("the image is no longer the one that was composed with")
    return data
