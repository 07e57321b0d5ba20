"""Mastodon: posts, edits and deletes statuses on any server that speaks its API, version 4 or later."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.mastodon import counts
from services.social.channels.mastodon.channel import MastodonChannel
from services.social.channels.mastodon.fake import MastodonFake
from services.social.channels.mastodon.oauth import FLOW
from services.social.channels.mastodon.settings import MastodonSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return MastodonChannel(MastodonSettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="mastodon",
    title="Mastodon",
    settings=MastodonSettings,
    capabilities=Capabilities(
        edit=True,
        delete=True,
        alt_text=True,
        idempotent=True,
        lookup=True,
        # The server keeps a key for an hour from the post; stop trusting it well before.
        idempotent_seconds=55 * 60,
        counts=True,
        counts_batch=counts.BATCH,
    ),
    build=_build,
    fake=MastodonFake,
    oauth=FLOW,
    help=(
        "Connect the account by consent: Herald registers itself at your server. Or, to enter a token, on "
        "your server open **Preferences > Development > New application**, choose the scopes "
        "`read:accounts read:statuses write:media write:statuses`, save, and enter *Your access "
        "token* here with the server's address."
    ),
)
