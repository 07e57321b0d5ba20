"""What an operator may state of every account, whatever its network. A channel's settings add what is its own."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

Labels = dict[Literal["correction", "clarification", "retraction"], str]


class AccountSettings(BaseModel):
    """Base of every channel's settings."""

    # The command line reads a value of digits as a number.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    labels: Labels = {
        "correction": "Correction",
        "clarification": "Clarification",
        "retraction": "Retraction",
    }
    """The word that begins a public notice, in the account's language."""

    @field_validator("server", "web", "login", check_fields=False)
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must be an absolute http(s) address")
        return value.rstrip("/")
