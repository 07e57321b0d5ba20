"""The headers that let a receiver trust a message (Standard Webhooks 1.0.0, signature v1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime


def headers(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Identity, time of this attempt (Unix seconds) and signature over both and the body.

    `secret` has the form `whsec_<base64>`. Raises ValueError for an id with a dot, because dots
    separate what is signed.
    """
    if "." in message_id:
        raise ValueError("a message id must not contain a dot")
    timestamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
