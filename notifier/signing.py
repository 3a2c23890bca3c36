"""Signatures as Standard Webhooks 1.0 describes them: HMAC-SHA256 over ``id.timestamp.body``, several after one another.

A receiver takes the three headers, refuses a timestamp more than five minutes away, and compares in constant time. The id is
that of the message and stays the same however often it is delivered; the timestamp is that of the attempt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

SECRET_PREFIX = "whsec_"  # noqa: S105 - the form of a secret, not one

#: As the specification wants it: 24 to 64 bytes.
SECRET_BYTES = 24


def secret_of(key: bytes) -> str:
    """The written form of a signing key."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """The signing key of a written secret. Raises ``ValueError`` for what is none."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError("a signing secret begins with whsec_")
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a signing secret is base64 after whsec_") from None


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of ``webhook-signature`` for one secret."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def headers(secret: str, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers of a delivery."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signature(secret, message_id, timestamp_s, body),
    }
