"""Apprise: gives a message to any of the services it knows, by an address. Sends only."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.apprise.channel import AppriseChannel
from services.social.channels.apprise.fake import AppriseFake
from services.social.channels.apprise.settings import AppriseSettings
from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia


def _build(settings: BaseModel, http: aiohttp.ClientSession, _: FetchMedia) -> Channel:
    # Words only, so nothing is fetched here.
    return AppriseChannel(AppriseSettings.model_validate(settings), http)


CHANNEL = ChannelSpec(
    name="apprise",
    title="Apprise",
    settings=AppriseSettings,
    capabilities=Capabilities(
        edit=False,
        delete=False,
        reply=True,  # one more message, to the same readers
        alt_text=False,
        idempotent=False,
        lookup=False,  # it hands a message over, and knows nothing of it afterwards
        pictures=False,
    ),
    build=_build,
    fake=AppriseFake,
    help=(
        "Find the service at **appriseit.com/services** and enter the address that is described "
        "there, with one target, e.g. `gotifys://push.example.org/TOKEN` or `ntfys://TOPIC`."
    ),
)
