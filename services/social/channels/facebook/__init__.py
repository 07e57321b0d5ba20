"""Facebook: posts, edits and deletes the posts of a Page through the Graph API."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.facebook.channel import FacebookChannel
from services.social.channels.facebook.fake import FacebookFake
from services.social.channels.facebook.oauth import FLOW
from services.social.channels.facebook.settings import FacebookSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return FacebookChannel(FacebookSettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="facebook",
    title="Facebook Page",
    settings=FacebookSettings,
    capabilities=Capabilities(
        edit=True,
        delete=True,
        alt_text=True,
        # It refuses some repetitions, but promises nothing, and has published after an error.
        idempotent=False,
        lookup=True,
        counts=True,
    ),
    build=_build,
    fake=FacebookFake,
    oauth=FLOW,
    help=(
        "Create a business app at **developers.facebook.com**, enter its id and secret here once, and "
        "connect the Page by consent of somebody who runs it. Or sign in as that person with "
        "`pages_manage_posts pages_read_engagement`, exchange the token for a long-lived one, and "
        "enter the Page's own token from `/me/accounts` with the Page's number."
    ),
)
