"""What an operator states to connect a Threads account. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class ThreadsSettings(BaseModel):
    """One profile."""

    # The command line reads a value of digits as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    user_id: str = Field(pattern=r"^[0-9]{1,19}$")
    """The number of the profile."""
    access_token: SecretStr
    """With `threads_basic threads_content_publish threads_manage_replies threads_read_replies threads_delete`."""
    server: str = "https://graph.threads.net"
    """Base address of the API, which also answers at `https://graph.threads.com`; may have a path."""
    version: str = Field(default="v1.0", pattern=r"^v[0-9]{1,3}\.[0-9]$")
    media: Literal["image", "card"] = "image"
    """`image`: the lead image with its alt text; the link is in the text. `card`: the link's own card, no image."""
    topic: bool = True
    """Whether the article's first tag becomes the post's topic; the network knows one a post."""
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
