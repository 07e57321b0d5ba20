"""LinkedIn: posts, edits and deletes the posts of an organisation's page through the Posts API."""

from __future__ import annotations

import aiohttp
from pydantic import BaseModel

from services.social.channels.base import Capabilities, Channel, ChannelSpec, FetchMedia
from services.social.channels.linkedin import counts
from services.social.channels.linkedin.channel import LinkedInChannel
from services.social.channels.linkedin.fake import LinkedInFake
from services.social.channels.linkedin.oauth import FLOW
from services.social.channels.linkedin.settings import LinkedInSettings


def _build(settings: BaseModel, http: aiohttp.ClientSession, fetch: FetchMedia) -> Channel:
    return LinkedInChannel(LinkedInSettings.model_validate(settings), http, fetch)


CHANNEL = ChannelSpec(
    name="linkedin",
    title="LinkedIn",
    settings=LinkedInSettings,
    capabilities=Capabilities(
        edit=True,
        delete=True,
        repost=False,  # its refusal of duplicates goes on for a day or two after a deletion
        # The network's article card has no words for its thumbnail.
        alt_text=False,
        # It refuses a duplicate for a while, but promises neither how long nor what counts as one.
        idempotent=False,
        lookup=True,
        counts=True,
        counts_batch=counts.BATCH,
    ),
    build=_build,
    fake=LinkedInFake,
    oauth=FLOW,
    help=(
        "Create an app at **developer.linkedin.com**, have it approved for the *Community Management "
        "API*, enter its id and secret here once, and connect the page by consent of one of its "
        "administrators. Or sign in with the scopes `w_organization_social r_organization_social` and "
        "enter the access token and the number of the organisation."
    ),
)
