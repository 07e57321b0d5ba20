"""What an operator states to connect an X account. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class XSettings(BaseModel):
    """One account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    hashtags: int = Field(default=2, ge=0, le=10)
    """How many of the article's tags may follow as hashtags."""
    labels: dict[Literal["correction", "clarification"], str] = {
        "correction": "Correction",
        "clarification": "Clarification",
    }
    """The word that begins a public notice, in the account's language."""

    @field_validator("server", "web")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must be an absolute http(s) address")
        return value.rstrip("/")
