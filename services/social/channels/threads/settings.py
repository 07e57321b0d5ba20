"""What an operator states to connect a Threads account. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings


class ThreadsSettings(LinkingSettings):
    """One profile."""

    user_id: str = Field(pattern=r"^[0-9]{1,19}$")
    """The number of the profile."""
    access_token: SecretStr
    """With `threads_basic threads_content_publish threads_manage_replies threads_read_replies threads_delete`."""
    server: str = "https://graph.threads.net"
    """Base address of the API, which also answers at `https://graph.threads.com`; may have a path."""
    login: str = "https://threads.net"
    """Base address of the page where people consent."""
    version: str = Field(default="v1.0", pattern=r"^v[0-9]{1,3}\.[0-9]$")
    media: Literal["image", "card"] = "image"
    """`image`: the lead image with its alt text; the link is in the text. `card`: the link's own card, no image."""
    topic: bool = True
    """Whether the article's first tag becomes the post's topic; the network knows one a post."""
    utm_source: CampaignWord = "threads"
