"""What an operator states to connect a Bluesky account. Never shows the app password."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings


class BlueskySettings(LinkingSettings):
    """One account on one personal data server."""

    server: str = "https://bsky.social"
    """Base address of the PDS; may have a path."""
    web: str = "https://bsky.app"
    """Base address of the pages that people read posts on."""
    identifier: str = Field(min_length=1)
    """Handle (`newsroom.example`) or DID."""
    app_password: SecretStr
    """Made under Settings > Privacy and security > App passwords; never the account's own password."""
    media: Literal["card", "image"] = "card"
    """`card`: a link card with the lead image as thumbnail, which has no alt text on this network.
    `image`: the lead image itself with its alt text; the link is in the text only."""
    language: str | None = None
    """BCP 47 tag for articles that name no language."""
    hashtags: int = Field(default=3, ge=0, le=8)
    """How many of the article's tags may follow as hashtags."""
    utm_source: CampaignWord = "bluesky"
