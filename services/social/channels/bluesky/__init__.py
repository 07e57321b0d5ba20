"""Bluesky: posts, corrects by reply and deletes records on an AT Protocol server."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.bluesky import counts
from services.social.channels.bluesky.channel import BlueskyChannel
from services.social.channels.bluesky.fake import BlueskyFake
from services.social.channels.bluesky.settings import BlueskySettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return BlueskyChannel(BlueskySettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="bluesky",
    title="Bluesky",
    settings=BlueskySettings,
    capabilities=Capabilities(
        edit=False,  # the server takes an edit, but the app goes on showing the first text
        delete=True,
        reply=True,
        alt_text=True,
        idempotent=True,
        lookup=True,
        counts=True,
        counts_batch=counts.BATCH,
    ),
    build=_build,
    fake=BlueskyFake,
    help=(
        "In Bluesky open **Settings > Privacy and security > App passwords**, add one named "
        "*Herald*, and enter it here with the account's handle. Never use the main password."
    ),
)
