"""What an operator states to connect a LinkedIn page. Never shows the access token."""

from __future__ import annotations

from pydantic import Field, SecretStr

from services.social.channels.campaign import CampaignWord, LinkingSettings


class LinkedInSettings(LinkingSettings):
    """One organisation's page."""

    server: str = "https://api.linkedin.com"
    """Base address of the API; may have a path."""
    web: str = "https://www.linkedin.com"
    """Base address of the pages that people read posts on."""
    organization: str = Field(pattern=r"^[0-9]{1,19}$")
    """The number in `urn:li:organization:…`. A person's posts cannot be looked up, so none is taken."""
    access_token: SecretStr
    """With the scopes `w_organization_social r_organization_social`; lives 60 days."""
    version: str = Field(default="202609", pattern=r"^20[0-9]{2}(0[1-9]|1[0-2])$")
    """`LinkedIn-Version`, a month; the network ends each about a year after it came."""
    escape_links: bool = True
    """Whether reserved characters inside a link in the text get a backslash, too (sources disagree)."""
    hashtags: int = Field(default=3, ge=0, le=10)
    """How many of the article's tags may follow as hashtags."""
    utm_source: CampaignWord = "linkedin"

    @property
    def author(self) -> str:
        return f"urn:li:organization:{self.organization}"
