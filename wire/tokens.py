"""Bearer tokens: ``hub_<role>_<id>_<secret>``, base64url without padding (security.md T1, T2).

The id (96 bits) is public and the key for look-up; of the secret (256 bits) only the SHA-256 is ever stored. The secret
is random, so a slow hash would buy nothing and cost seconds when a fleet reconnects. The role in the text is for people
and for scanners that find leaked tokens; what counts is the role that the hub has stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

ID_BYTES = 12
SECRET_BYTES = 32
PREFIX = "hub"

#: Lengths are fixed, so the parts are cut by position: ``_`` is also a letter of base64url. The last letter of a secret
#: carries four bits; the pattern takes only those whose unused bits are zero, so that each token has one spelling.
_TOKEN = re.compile(rf"{PREFIX}_[a-z]{{1,32}}_([A-Za-z0-9_-]{{16}})_([A-Za-z0-9_-]{{42}}[AEIMQUYcgkosw048])")


@dataclass(frozen=True, slots=True)
class Minted:
    """``token`` is shown once and never stored."""

    token: str
    token_id: str
    secret_sha256: bytes

    def __repr__(self) -> str:
        return f"Minted(token_id={self.token_id!r})"  # a log line must not hold the secret


def mint(role: str) -> Minted:
    """A new token for an identity of ``role``."""
    token_id = _encode(secrets.token_bytes(ID_BYTES))
    secret = secrets.token_bytes(SECRET_BYTES)
    return Minted(f"{PREFIX}_{role}_{token_id}_{_encode(secret)}", token_id, hashlib.sha256(secret).digest())


def parse(token: str) -> tuple[str, bytes] | None:
    """(token id, SHA-256 of the secret), or None when it does not have the form of a token."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    secret = base64.urlsafe_b64decode(match[2] + "=")
    return match[1], hashlib.sha256(secret).digest()


def matches(stored_sha256: bytes, given_sha256: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(stored_sha256, given_sha256)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
