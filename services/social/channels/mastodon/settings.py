"""What an operator states to connect a Mastodon account. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings


class MastodonSettings(LinkingSettings):
    """One account on one server."""

    server: str
    """Base address of the server, e.g. `https://mastodon.social`; may have a path."""
    access_token: SecretStr
    """Of an application with the scopes `read:accounts read:statuses write:media write:statuses`."""
    visibility: Literal["public", "unlisted", "private"] = "public"
    media: Literal["image", "card"] = "image"
    """`image`: the lead image with its alt text. `card`: none, so that the server shows its link card."""
    language: str | None = None
    """ISO 639 code for articles whose own language has none."""
    hashtags: int = Field(default=3, ge=0, le=10)
    """How many of the article's tags may follow as hashtags."""
    utm_source: CampaignWord = "mastodon"
