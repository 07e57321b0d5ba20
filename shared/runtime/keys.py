"""One secret, many keys: HKDF gives each purpose its own, so that one leaked key opens one door."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SIGNATURE_BYTES = 16


class KeyRing:
    """Derived keys from `HERALD_SECRET_KEY` (RFC 5869)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for this purpose; the same each time."""
        return HKDF(SHA256(), 32, salt=None, info=f"herald/{purpose}".encode()).derive(self._secret)

    def sign(self, purpose: str, *parts: str) -> str:
        """A short URL-safe signature over the parts; their borders are part of what is signed."""
        message = json.dumps(parts).encode()
        mac = hmac.new(self.derive(purpose), message, hashlib.sha256).digest()[:SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def verify(self, purpose: str, signature: str, *parts: str) -> bool:
        """Whether `sign` made this signature; compares in constant time."""
        return hmac.compare_digest(
            self.sign(purpose, *parts).encode(), signature.encode("utf-8", "replace")
        )

    def vault(self, purpose: str) -> Vault:
        return Vault(self.derive(purpose))


class Vault:
    """Encrypts credentials at rest (Fernet: AES-CBC with HMAC)."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, value: dict[str, object]) -> bytes:
        return self._fernet.encrypt(orjson.dumps(value))

    def open(self, sealed: bytes) -> dict[str, object]:
        """Raises ValueError when the secret key is another one or the bytes were altered."""
        try:
            value: dict[str, object] = orjson.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise ValueError("cannot decrypt: HERALD_SECRET_KEY has changed") from error
        return value
