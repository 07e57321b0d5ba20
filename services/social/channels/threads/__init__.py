"""Threads: posts in two steps, corrects by reply and deletes, over Meta's Threads API."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.threads.channel import ThreadsChannel
from services.social.channels.threads.fake import ThreadsFake
from services.social.channels.threads.oauth import FLOW
from services.social.channels.threads.settings import ThreadsSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, _: FetchMedia) -> Channel:
    # The network fetches the image itself, from our public address.
    return ThreadsChannel(ThreadsSettings.model_validate(settings), http)


CHANNEL = ChannelSpec(
    name="threads",
    title="Threads",
    settings=ThreadsSettings,
    capabilities=Capabilities(
        edit=False,
        delete=True,
        reply=True,
        alt_text=True,
        # A container is published once, but its number is lost with the process.
        idempotent=False,
        lookup=True,
        counts=True,
    ),
    build=_build,
    fake=ThreadsFake,
    oauth=FLOW,
    help=(
        "At developers.facebook.com make an app with the *Threads API*, enter its id and secret here "
        "once, and connect the profile by consent; Herald then renews its token. Or let the profile "
        "authorise the app with `threads_basic threads_content_publish threads_manage_replies "
        "threads_read_replies threads_delete`, exchange the token for a long-lived one, and enter it "
        "with the profile's number. The site must be public: Threads fetches the image from it."
    ),
)
