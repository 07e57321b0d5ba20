"""Noticeboard: pins, changes and takes down notices on a board. Invented, to show what a channel is."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.noticeboard.channel import NoticeboardChannel
from services.social.channels.noticeboard.fake import NoticeboardFake
from services.social.channels.noticeboard.settings import NoticeboardSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, _: FetchMedia) -> Channel:
    # The board has no pictures, so nothing is fetched here.
    return NoticeboardChannel(NoticeboardSettings.model_validate(settings), http)


CHANNEL = ChannelSpec(
    name="noticeboard",
    title="Noticeboard",
    settings=NoticeboardSettings,
    capabilities=Capabilities(
        edit=True,
        delete=True,
        alt_text=False,
        idempotent=True,  # a notice is put under a key of ours: the same key again is the same notice
        lookup=True,
        pictures=False,
    ),
    build=_build,
    fake=NoticeboardFake,
    help="Ask the keeper of your board for a token, and enter it with the board's address.",
)
