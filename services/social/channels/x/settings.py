"""What an operator states to connect an X account. Never shows the access token."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings

Dollars = Annotated[float, Field(ge=0, le=1_000_000)]


class XSettings(LinkingSettings):
    """One account."""

    access_token: SecretStr
    """Of a user, with the scopes `tweet.read tweet.write users.read media.write`."""
    server: str = "https://api.x.com"
    """Base address of the API; may have a path."""
    web: str = "https://x.com"
    """Base address of the pages that people read posts on."""
    media: Literal["image", "card"] = "image"
    """`image`: the lead image with its alt text, in place of the card. `card`: none, so that the card shows."""
    edit_minutes: int = Field(default=0, ge=0, le=60)
    """For how long the account may edit a post; 0 where it may not, and corrections are replies."""
    reads_per_day: int = Field(default=0, ge=0, le=1_000_000)
    """How many posts may be asked for their counts in a day: each costs money, so by default none."""
    hashtags: int = Field(default=2, ge=0, le=10)
    """How many of the article's tags may follow as hashtags."""
    utm_source: CampaignWord = "x"
    post_cost_usd: Dollars = 0.015
    """What the network charges for a post without a link, by its price list of 2026."""
    link_post_cost_usd: Dollars = 0.2
    """For a post with a link."""
    deletion_cost_usd: Dollars = 0.01
    monthly_limit_usd: Dollars | None = None
    """The most a calendar month (UTC) may cost; the last tenth is kept for breaking news. None: no limit."""
