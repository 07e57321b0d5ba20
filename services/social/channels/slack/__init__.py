"""Slack: posts, edits and deletes messages of a bot in one channel, and finds them in its history."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.slack.channel import SlackChannel
from services.social.channels.slack.fake import SlackFake
from services.social.channels.slack.settings import SlackSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, _: FetchMedia) -> Channel:
    # The network fetches the image by its address, so nothing is fetched here.
    return SlackChannel(SlackSettings.model_validate(settings), http)


CHANNEL = ChannelSpec(
    name="slack",
    title="Slack",
    settings=SlackSettings,
    capabilities=Capabilities(
        edit=True,
        delete=True,
        alt_text=True,
        idempotent=False,
        lookup=True,  # by our link among the bot's own messages; `check` makes sure of the scope
        counts=True,
    ),
    build=_build,
    fake=SlackFake,
    help=(
        "At **api.slack.com/apps** create an app, add the bot scopes `chat:write` and "
        "`channels:history` (`groups:history` for a private channel), install it and enter the *Bot "
        "User OAuth Token* here. Invite the bot to the channel, and enter the channel's id."
    ),
)
