"""Telegram: posts, edits and deletes messages of a bot in one channel or group."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.telegram.channel import TelegramChannel
from services.social.channels.telegram.fake import TelegramFake
from services.social.channels.telegram.settings import TelegramSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return TelegramChannel(TelegramSettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="telegram",
    title="Telegram",
    settings=TelegramSettings,
    capabilities=Capabilities(
        edit=True,
        delete=True,
        alt_text=False,
        idempotent=False,
        lookup=False,  # bots cannot read what a chat holds
    ),
    build=_build,
    fake=TelegramFake,
    help=(
        "Write `/newbot` to **@BotFather** and enter the token it gives you here. Add the bot to your "
        "channel as an administrator with *Post*, *Edit* and *Delete messages*, and enter the "
        "channel's `@name` (or its numeric id, if it is private) as the chat."
    ),
)
