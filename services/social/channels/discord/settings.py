"""What an operator states to connect a Discord webhook. Never shows the webhook's token."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from services.social.channels.campaign import CampaignWord, LinkingSettings


class DiscordSettings(LinkingSettings):
    """One webhook of one text channel. Its address is `{server}/api/webhooks/{webhook_id}/{webhook_token}`."""

    server: str = "https://discord.com"
    """Base address of the network; may have a path."""
    webhook_id: str = Field(pattern=r"^\d{15,21}$")
    """The number in the webhook's address."""
    webhook_token: SecretStr
    """The last part of the webhook's address."""
    media: Literal["card", "image"] = "card"
    """`card`: headline, standfirst and lead image in an embed. `image`: text, and the image with its alt text."""
    utm_source: CampaignWord = "discord"

    @field_validator("webhook_token")
    @classmethod
    def _part_of_an_address(cls, value: SecretStr) -> SecretStr:
        """As it stands: were it encoded there, it could no longer be struck out of an error's words."""
        if not re.fullmatch(r"[A-Za-z0-9._-]+", value.get_secret_value()):
            raise ValueError("must be made of letters, digits, `.`, `_` and `-`")
        return value
