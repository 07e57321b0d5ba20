"""What an operator states to connect a board. Never shows the token."""

from __future__ import annotations

from pydantic import SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings


class NoticeboardSettings(LinkingSettings):
    """One desk that pins to one board."""

    server: str
    """Base address of the board; may have a path."""
    token: SecretStr
    utm_source: CampaignWord = "noticeboard"
