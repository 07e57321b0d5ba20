"""What an operator states to connect an Instagram account. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class InstagramSettings(BaseModel):
    """One professional account."""

    # The command line reads a value of digits as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    server: str = "https://graph.facebook.com"
    """Base address of the API; `https://graph.instagram.com` for tokens of Instagram's own login."""
    version: str = Field(default="v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]$")
    """Of the Graph API; each lives about two years."""
    user_id: str = Field(pattern=r"^[0-9]{1,19}$")
    """The number of the Instagram professional account."""
    access_token: SecretStr
    """With `instagram_content_publish`, and what corrections and deletions need."""
    hashtags: int = Field(default=5, ge=0, le=30)
    """Most hashtags in a caption, the editor's and ours (sources say 5 or 30)."""
    corrections: Literal["comment", "none"] = "comment"
    """`comment`: a correction is a comment below the picture. `none`: a person has to correct it."""
    delete: bool = True
    """Whether to delete through the API (sources disagree); else a person has to."""
    labels: dict[Literal["correction", "clarification"], str] = {
        "correction": "Correction",
        "clarification": "Clarification",
    }
    """The word that begins a public notice, in the account's language."""

    @field_validator("server")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must be an absolute http(s) address")
        return value.rstrip("/")
