"""What an operator states to connect a Telegram chat. Never shows the bot's token."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from services.social.channels.campaign import CampaignWord, LinkingSettings


class TelegramSettings(LinkingSettings):
    """One bot posting to one channel or group."""

    server: str = "https://api.telegram.org"
    """Base address of the Bot API; another one for a Bot API server of your own. May have a path."""
    web: str = "https://t.me"
    """Base address of the pages that people read posts on; used in links only."""
    token: SecretStr
    """From @BotFather, e.g. `123456:ABC…`."""
    chat: str = Field(pattern=r"^(@[A-Za-z]\w{3,31}|-?\d{1,20})$")
    """`@name` of a public channel, or the numeric id of any chat (`-100…` for channels)."""
    media: Literal["photo", "preview"] = "photo"
    """`photo`: the lead image with the text as its caption. `preview`: text with Telegram's link preview."""
    hashtags: int = Field(default=3, ge=0, le=10)
    """How many of the article's tags may follow as hashtags."""
    utm_source: CampaignWord = "telegram"

    @field_validator("token")
    @classmethod
    def _part_of_an_address(cls, value: SecretStr) -> SecretStr:
        """As it stands: were it encoded there, it could no longer be struck out of an error's words."""
        if not re.fullmatch(r"[A-Za-z0-9:_-]+", value.get_secret_value()):
            raise ValueError("must be made of letters, digits, `:`, `_` and `-`")
        return value
