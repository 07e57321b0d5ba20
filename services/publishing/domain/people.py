"""What a person may say about people, sign-ins, second factors and tokens, with its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from services.publishing.domain.fields import Line, Text, Written
from services.publishing.domain.passwords import MAX_LENGTH, MIN_LENGTH
from shared.contracts.identity import Scope

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
GivenPassword = Annotated[str, Field(max_length=MAX_LENGTH)]
"""One to be compared. Its form is not checked: a refusal would tell what a right one looks like."""
Code = Annotated[str, Field(max_length=40)]
"""From the authenticator app, or a recovery code; blanks and hyphens do not matter."""


def _each_once(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    if len(set(scopes)) < len(scopes):
        raise ValueError("must name each scope once")
    return scopes


Scopes = Annotated[
    tuple[Scope, ...], Field(min_length=1, max_length=len(Scope)), AfterValidator(_each_once)
]


class NewPerson(Written):
    """Someone who may sign in."""

    email: Email
    name: Annotated[Line, Field(min_length=1, max_length=120)]
    role: RoleName = "contributor"
    password: Password


class PersonChange(Written):
    """What an admin may change. All but the name ends every sign-in and token of the person."""

    name: Annotated[Line, Field(min_length=1, max_length=120)] | None = None
    role: RoleName | None = None
    disabled: bool | None = None
    password: Password | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null")
        return value


class SignIn(Written):
    """E-mail and password; neither is checked for form, so that nothing can be learned from it."""

    email: Annotated[str, Field(max_length=254)]
    password: GivenPassword
    code: Code | None = None
    """Needed by those who have a second factor."""


class PasswordChange(Written):
    """A new password of one's own."""

    current: GivenPassword
    new: Password


class SecondFactorBegin(Written):
    """Asks for a secret; the factor is not on before a code proves that the app has it."""

    password: GivenPassword


class SecondFactorConfirm(Written):
    """A code from the app that has just read the secret."""

    code: Code


class SecondFactorEnd(Written):
    """Switches one's own second factor off."""

    password: GivenPassword
    code: Code


class EndSessions(Written):
    """Signs out everywhere; `keep_current` leaves the session that asks."""

    keep_current: bool = False


class NewToken(Written):
    """A token for a program. `role` and `scopes` default to the maker's own and never exceed them."""

    name: Annotated[Line, Field(min_length=1, max_length=120)]
    days: Annotated[int, Field(ge=1, le=365)] = 90
    role: RoleName | None = None
    scopes: Scopes | None = None

    @field_validator("scopes", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        if value is None:  # a program that lost its list must not get a token without limits
            raise ValueError("must not be null; leave it out for everything your own token reaches")
        return value
