"""Whether a message comes from who shares our secret, and is not an old one. Compares in constant time.

Sources: Standard Webhooks 1.0.0 (signature v1); Ghost's `X-Ghost-Signature` as it is since 5.87, where the
time is part of what is signed. The older form, over the body alone, would be true for ever and is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

TOLERANCE = timedelta(minutes=5)
_GHOST = re.compile(r"sha256=([0-9a-f]{64}),\s*t=(\d{10,14})")
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,200}")


class Unsigned(ValueError):
    """Raised for a message that is not to be trusted. `header` is the one that is wrong."""

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(reason)
        self.header = header


def verify_standard(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> tuple[str, datetime]:
    """The message's id and when it was sent. Raises `Unsigned`."""
    message_id = headers.get("webhook-id", "")
    if not _ID.fullmatch(message_id):
        raise Unsigned("webhook-id", "must be there, without spaces and dots")
    stamp = headers.get("webhook-timestamp", "")
    sent = _fresh("webhook-timestamp", stamp, 1, now)
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    wanted = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    for one in headers.get("webhook-signature", "").split(" ")[:20]:
        version, comma, text = one.partition(",")
        try:
            given = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if version == "v1" and comma and hmac.compare_digest(wanted, given):
            return message_id, sent
    raise Unsigned("webhook-signature", "is not a signature of this message by this source")


def verify_ghost(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> tuple[str, datetime]:
    """An id for the message, which Ghost gives none, and when it was sent. Raises `Unsigned`."""
    found = _GHOST.fullmatch(headers.get("X-Ghost-Signature", "").strip())
    if found is None:
        raise Unsigned("X-Ghost-Signature", "must be sha256=<hex>, t=<milliseconds>")
    digest, stamp = found.groups()
    wanted = hmac.new(secret.encode(), body + stamp.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, digest):
        raise Unsigned("X-Ghost-Signature", "is not a signature of this message by this source")
    return digest, _fresh("X-Ghost-Signature", stamp, 1000, now)


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def _fresh(header: str, stamp: str, per_second: int, now: datetime) -> datetime:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 15):
        raise Unsigned(header, "must say when the message was sent")
    try:
        sent = datetime.fromtimestamp(int(stamp) / per_second, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unsigned(header, "must say when the message was sent") from error
    if abs(now - sent) > TOLERANCE:
        minutes = int(TOLERANCE.total_seconds() // 60)
        raise Unsigned(header, f"is more than {minutes} minutes from now; check both clocks")
    return sent.replace(microsecond=sent.microsecond // 1000 * 1000)
