"""Discord: posts, edits and deletes messages of a webhook in one text channel."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.discord.channel import DiscordChannel
from services.social.channels.discord.fake import DiscordFake
from services.social.channels.discord.settings import DiscordSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return DiscordChannel(DiscordSettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="discord",
    title="Discord",
    settings=DiscordSettings,
    capabilities=Capabilities(
        edit=True,
        delete=True,
        alt_text=True,
        idempotent=False,  # a nonce is checked for bots only
        lookup=False,  # a webhook reads only messages whose id it knows
    ),
    build=_build,
    fake=DiscordFake,
    help=(
        "In your server open **Server settings > Integrations > Webhooks > New webhook**, choose the "
        "channel and copy the webhook's address. It ends in `/webhooks/NUMBER/TOKEN`: enter the "
        "number as the webhook's id and the rest as its token."
    ),
)
