"""X: posts, corrects by reply or by edit where the account may, and deletes, over version 2 of the API."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.x import counts
from services.social.channels.x.channel import XChannel
from services.social.channels.x.fake import XFake
from services.social.channels.x.oauth import FLOW
from services.social.channels.x.pricing import price
from services.social.channels.x.settings import XSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return XChannel(XSettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="x",
    title="X",
    settings=XSettings,
    capabilities=Capabilities(
        edit=False,  # an edit is one more post in a chain, and few accounts may make one
        delete=True,
        reply=True,
        versions=True,
        alt_text=True,
        idempotent=False,
        lookup=True,
        counts=True,
        counts_batch=counts.BATCH,
    ),
    build=_build,
    fake=XFake,
    price=price,
    oauth=FLOW,
    help=(
        "In the developer portal create a project and an app with OAuth 2.0, enter the app's id and "
        "secret here once, and connect the account by consent; Herald then renews its token. Or enter "
        "a user's access token with the scopes `tweet.read tweet.write users.read media.write`, which "
        "lives two hours. Each post costs money: set a monthly limit, and see the README."
    ),
)
