"""Codes of the second factor: RFC 6238 from an authenticator app, and recovery codes for when it is lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

import pyotp

ISSUER = "Herald"
SECONDS = 30
WINDOW = 1
"""Steps that a clock may be off, either way."""
RECOVERY_CODES = 10


@dataclass(frozen=True)
class SecondFactor:
    """What is kept of a person's second factor: the secret sealed, the recovery codes hashed."""

    sealed: bytes = field(repr=False)
    last_step: int
    """The newest time step whose code was used; older and equal ones are spent."""
    recovery: tuple[str, ...] = field(repr=False)
    """Hashes of the recovery codes that are left."""


def new_secret() -> str:
    """160 random bits in base 32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def enrolment_address(secret: str, email: str) -> str:
    """The `otpauth://` address that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime, after: int = -1) -> int | None:
    """The time step whose code this is, if it is within the window and newer than `after`.

    The newest of several: a code that happens to be that of two steps must not serve twice.
    """
    totp = pyotp.TOTP(secret, interval=SECONDS)
    here = int(now.timestamp()) // SECONDS
    for step in range(here + WINDOW, max(here - WINDOW, after + 1) - 1, -1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None


def plain_code(code: str) -> str:
    """A code without the blanks and hyphens that people type for legibility."""
    return "".join(char for char in code if not char.isspace() and char != "-").lower()


def is_totp(code: str) -> bool:
    """Whether it has the form of an app's code; everything else can only be a recovery code."""
    return len(code) == 6 and code.isascii() and code.isdigit()


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits, in groups of four characters."""
    return [
        "-".join(text[at : at + 4] for at in range(0, 16, 4))
        for text in (
            base64.b32encode(secrets.token_bytes(10)).decode().lower()
            for _ in range(RECOVERY_CODES)
        )
    ]


def recovery_hash(code: str) -> str:
    """SHA-256: 80 random bits cannot be guessed, so a slow hash would protect nothing."""
    return hashlib.sha256(plain_code(code).encode()).hexdigest()
