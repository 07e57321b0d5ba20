"""What a person may say about people, sign-ins and tokens, with its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from services.publishing.domain.fields import Line, Text, Written
from services.publishing.domain.passwords import MAX_LENGTH, MIN_LENGTH

RoleName = Literal["contributor", "editor", "chief", "admin"]


def _email(value: str) -> str:
    """Lower case, so that one mailbox is one person."""
    local, at, domain = value.rpartition("@")
    if not (at and local and "." in domain.strip(".")) and not (local and domain == "localhost"):
        raise ValueError("must be an e-mail address")
    if any(ord(char) <= 32 for char in value) or "@" in local or domain.startswith("."):
        raise ValueError("must be an e-mail address")
    return value.lower()


Email = Annotated[Text, Field(max_length=254), AfterValidator(_email)]
Password = Annotated[str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]


class NewPerson(Written):
    """Someone who may sign in."""

    email: Email
    name: Annotated[Line, Field(min_length=1, max_length=120)]
    role: RoleName = "contributor"
    password: Password


class PersonChange(Written):
    """What an admin may change. A changed role or `disabled` ends every sign-in and token."""

    name: Annotated[Line, Field(min_length=1, max_length=120)] | None = None
    role: RoleName | None = None
    disabled: bool | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null")
        return value


class SignIn(Written):
    """E-mail and password; neither is checked for form, so that nothing can be learned from it."""

    email: Annotated[str, Field(max_length=254)]
    password: Annotated[str, Field(max_length=MAX_LENGTH)]


class NewToken(Written):
    """A token for a program. `role` defaults to the maker's own and never exceeds it."""

    name: Annotated[Line, Field(min_length=1, max_length=120)]
    days: Annotated[int, Field(ge=1, le=365)] = 90
    role: RoleName | None = None
