"""What an operator states to connect a Facebook Page. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings


class FacebookSettings(LinkingSettings):
    """One Page."""

    server: str = "https://graph.facebook.com"
    """Base address of the Graph API; may have a path."""
    web: str = "https://www.facebook.com"
    """Base address of the pages that people read posts on."""
    version: str = Field(default="v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]$")
    """Of the Graph API; each lives about two years."""
    page_id: str = Field(pattern=r"^[0-9]{1,19}$")
    """The Page's number."""
    access_token: SecretStr
    """The Page's own token, with `pages_manage_posts pages_read_engagement`."""
    media: Literal["card", "image"] = "card"
    """`card`: the link card that Facebook makes from the page, which has no alt text of ours.
    `image`: the lead image with its alt text; the link is in the text only."""
    hashtags: int = Field(default=3, ge=0, le=10)
    """How many of the article's tags may follow as hashtags."""
    utm_source: CampaignWord = "facebook"
