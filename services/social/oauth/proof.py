"""What ties a consent to the one who asked: a state nobody can guess, and PKCE with S256. Pure but for chance."""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_state() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def new_verifier() -> str:
    """A code verifier (RFC 7636, section 4.1): 43 characters, 256 random bits."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """The S256 code challenge (RFC 7636, section 4.2)."""
    return _base64url(hashlib.sha256(verifier.encode()).digest())


def remembered(state: str) -> str:
    """What is stored of a state: a reader of the database cannot come back with it."""
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
