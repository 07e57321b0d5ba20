"""Instagram: publishes a picture with a caption, in two steps, on a professional account."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.instagram.channel import InstagramChannel
from services.social.channels.instagram.fake import InstagramFake
from services.social.channels.instagram.oauth import FLOW
from services.social.channels.instagram.settings import InstagramSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return InstagramChannel(InstagramSettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="instagram",
    title="Instagram",
    settings=InstagramSettings,
    capabilities=Capabilities(
        # A caption cannot be changed; a correction is a comment.
        edit=False,
        delete=True,
        reply=True,
        alt_text=True,
        # One container is published at most once, but its number is lost with the process.
        idempotent=False,
        lookup=True,
        counts=True,
    ),
    build=_build,
    fake=InstagramFake,
    oauth=FLOW,
    help=(
        "Turn the account into a professional one and link it with a Facebook Page. Create a business "
        "app at **developers.facebook.com**, enter its id and secret here once, and connect the account "
        "by consent of somebody who runs that Page. Or sign in with `instagram_basic "
        "instagram_content_publish instagram_manage_comments instagram_manage_contents "
        "pages_read_engagement` and enter the token and the number of the Instagram account."
    ),
)
