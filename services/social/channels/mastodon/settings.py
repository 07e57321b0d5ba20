"""What an operator states to connect a Mastodon account. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class MastodonSettings(BaseModel):
    """One account on one server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    """Base address of the server, e.g. `https://mastodon.social`; may have a path."""
    access_token: SecretStr
    """Of an application with the scopes `read:accounts read:statuses write:media write:statuses`."""
    visibility: Literal["public", "unlisted", "private"] = "public"
    media: Literal["image", "card"] = "image"
    """`image`: the lead image with its alt text. `card`: none, so that the server shows its link card."""
    language: str | None = None
    """ISO 639 code for articles whose own language has none."""
    hashtags: int = Field(default=3, ge=0, le=10)
    """How many of the article's tags may follow as hashtags."""
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
