"""What an operator states to connect a LinkedIn page. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class LinkedInSettings(BaseModel):
    """One organisation's page."""

    # The command line reads a value of digits as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

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
    labels: dict[Literal["correction", "clarification"], str] = {
        "correction": "Correction",
        "clarification": "Clarification",
    }
    """The word that begins a public notice, in the account's language."""

    @property
    def author(self) -> str:
        return f"urn:li:organization:{self.organization}"

    @field_validator("server", "web")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must be an absolute http(s) address")
        return value.rstrip("/")
