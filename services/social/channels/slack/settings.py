"""What an operator states to connect a Slack channel. Never shows the bot's token."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings


class SlackSettings(LinkingSettings):
    """One bot posting to one channel of one workspace."""

    server: str = "https://slack.com"
    """Base address of the network; may have a path."""
    token: SecretStr
    """Of the bot (`xoxb-…`), with the scopes `chat:write` and `channels:history` (`groups:history`)."""
    channel: str = Field(pattern=r"^[CG][A-Z0-9]{7,20}$")
    """The channel's id, at the end of *View channel details*; the bot must be a member."""
    media: Literal["image", "card"] = "image"
    """`image`: the lead image with its alt text. `card`: none, so that Slack shows its card of the link."""
    utm_source: CampaignWord = "slack"
