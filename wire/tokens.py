"""Bearer tokens: ``hub_<role>_<id>_<secret>``, base64url without padding (security.md T1, T2).

The id (96 bits) is public and the key for look-up; of the secret (256 bits) only the SHA-256 is ever stored. The secret is
random, so a slow hash would buy nothing and cost seconds when a fleet reconnects.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from wire.limits import TOKEN_CHARS

ID_BYTES = 12
SECRET_BYTES = 32
PREFIX = "hub"


@dataclass(frozen=True, slots=True)
class Minted:
    """``token`` is shown once and never stored."""

    token: str
    token_id: str
    secret_sha256: bytes


def mint(role: str) -> Minted:
    """A new token for an identity of ``role``."""
    token_id = _encode(secrets.token_bytes(ID_BYTES))
    secret = secrets.token_bytes(SECRET_BYTES)
    return Minted(f"{PREFIX}_{role}_{token_id}_{_encode(secret)}", token_id, hashlib.sha256(secret).digest())


def parse(token: str) -> tuple[str, bytes] | None:
    """(token id, SHA-256 of the secret), or None when it does not have the form of a token.

    Lengths are fixed, so the parts are cut by position: ``_`` is also a letter of base64url.
    """
    id_chars, secret_chars = _chars(ID_BYTES), _chars(SECRET_BYTES)
    tail = id_chars + 1 + secret_chars
    if len(token) > TOKEN_CHARS or not token.startswith(f"{PREFIX}_") or len(token) <= tail + len(PREFIX) + 1:
        return None
    token_id, separator, secret = token[-tail : -secret_chars - 1], token[-secret_chars - 1], token[-secret_chars:]
    if separator != "_" or token[-tail - 1] != "_":
        return None
    try:
        raw = base64.b64decode(secret + "=" * (-secret_chars % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return token_id, hashlib.sha256(raw).digest()


def matches(stored_sha256: bytes, given_sha256: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(stored_sha256, given_sha256)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _chars(nbytes: int) -> int:
    return (nbytes * 8 + 5) // 6
