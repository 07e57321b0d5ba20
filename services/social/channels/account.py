"""What an operator may state of every account, whatever its network. A channel's settings add what is its own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

Labels = dict[Literal["correction", "clarification", "retraction"], str]


class AccountSettings(BaseModel):
    """Base of every channel's settings."""

    # The command line reads a value of digits as a number. What is wrong is told in words that people
    # read, so these must not repeat a secret.
    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, hide_input_in_errors=True
    )

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

    @field_validator("*")
    @classmethod
    def _one_line(cls, value: Any) -> Any:
        """A line end that came along with a pasted secret makes a header that no client sends."""
        if isinstance(value, SecretStr):
            word = value.get_secret_value()
            if not word or not word.isprintable() or word != word.strip():
                raise ValueError("must be one line, with no space around it")
        return value
