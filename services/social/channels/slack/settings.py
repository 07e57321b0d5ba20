"""What an operator states to connect a Slack channel. Never shows the bot's token."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class SlackSettings(BaseModel):
    """One bot posting to one channel of one workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str = "https://slack.com"
    """Base address of the network; may have a path."""
    token: SecretStr
    """Of the bot (`xoxb-…`), with the scopes `chat:write` and `channels:history` (`groups:history`)."""
    channel: str = Field(pattern=r"^[CG][A-Z0-9]{7,20}$")
    """The channel's id, at the end of *View channel details*; the bot must be a member."""
    media: Literal["image", "card"] = "image"
    """`image`: the lead image with its alt text. `card`: none, so that Slack shows its card of the link."""
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
