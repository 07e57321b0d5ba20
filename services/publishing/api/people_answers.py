"""What publishing answers about people and tokens, as models. Never shows a password or its hash."""

from __future__ import annotations

from typing import Any, ClassVar

from services.publishing.api.article_answers import AT, PERSON
from services.publishing.domain.people import RoleName
from shared.contracts.identity import Scope
from shared.web.description import Id, Moment, Shown

TOKEN = "0199ef12-93aa-7f21-b6c8-07e5a1d94c32"  # noqa: S105 - the id of one


class SessionAnswer(Shown):
    """A session: send the token as `Authorization: Bearer`."""

    token: str
    """Shown this once."""
    expires_at: Moment

    EXAMPLE: ClassVar[dict[str, Any]] = {"token": "eyJhbGciOiJIUzI1NiJ9...", "expires_at": AT}


class MeAnswer(Shown):
    """Who the token speaks for. Role and scopes are the token's, which may be less than the person's own."""

    id: str
    name: str
    email: str | None = None
    totp: bool
    """A second factor is on."""
    role: RoleName
    scopes: list[Scope] | None = None
    """What the token is limited to; left out where it is not."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": PERSON,
        "name": "Ada Quill",
        "email": "ada@news.example",
        "totp": True,
        "role": "editor",
    }


class PersonAnswer(Shown):
    """Someone who may sign in."""

    id: Id
    email: str
    name: str
    role: RoleName
    disabled: bool
    totp: bool
    """A second factor is on."""
    created_at: Moment
    revision: int
    """The ETag is this number."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **MeAnswer.EXAMPLE,
        "disabled": False,
        "created_at": "2026-11-01T10:00:00.000Z",
        "revision": 1,
    }


class TokenAnswer(Shown):
    """A program's token; the token itself is kept nowhere."""

    id: Id
    name: str
    role: RoleName
    scopes: list[Scope] | None = None
    """Left out where the token reaches everything its role allows."""
    created_at: Moment
    expires_at: Moment
    revoked_at: Moment | None = None

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": TOKEN,
        "name": "wire import",
        "role": "editor",
        "scopes": ["imports"],
        "created_at": AT,
        "expires_at": "2027-02-21T09:30:00.000Z",
    }


class NewTokenAnswer(TokenAnswer):
    """A fresh API token."""

    token: str
    """Shown this once."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **TokenAnswer.EXAMPLE,
        "token": SessionAnswer.EXAMPLE["token"],
    }


class SessionLine(Shown):
    """Where somebody is signed in."""

    id: Id
    created_at: Moment
    expires_at: Moment
    address: str | None = None
    user_agent: str | None = None
    current: bool
    """The session that asks."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": TOKEN,
        "created_at": AT,
        "expires_at": "2026-11-23T21:30:00.000Z",
        "address": "192.0.2.17",
        "user_agent": "Firefox on Linux",
        "current": True,
    }


class EndedAnswer(Shown):
    """How many sessions ended."""

    ended: int

    EXAMPLE: ClassVar[dict[str, Any]] = {"ended": 2}


class SecretAnswer(Shown):
    """For the authenticator app; shown this once. Nothing is on before a code proves that it arrived."""

    secret: str
    otpauth_uri: str
    """The same as an address, for a QR code."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "secret": "JBSWY3DPEHPK3PXP",
        "otpauth_uri": "otpauth://totp/Herald:ada%40news.example?secret=JBSWY3DPEHPK3PXP&issuer=Herald",
    }


class RecoveryAnswer(Shown):
    """The second factor is on."""

    recovery_codes: list[str]
    """For when the telephone is lost; each works once. Shown this once."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"recovery_codes": ["K7QD-M2XR", "9TBW-4HPC"]}
