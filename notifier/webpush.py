"""Web Push: encryption of a message for one browser (RFC 8291), and who we are to its push service (RFC 8292).

Needs ``cryptography`` (the extra ``push``), which is imported by nobody else. Keys are raw bytes in base64url without padding,
as browsers hand them out: public ones uncompressed points of P-256 (65 bytes), private ones 32 bytes, secrets 16.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SALT_BYTES = 16
SECRET_BYTES = 16
POINT_BYTES = 65
SCALAR_BYTES = 32

#: Of a record (RFC 8188): one record holds any message that a push service takes.
RECORD_BYTES = 4096

#: Of the plain text; O5.
MESSAGE_BYTES = 3 * 1024

#: How long a token is good (at most 24 h by RFC 8292).
TOKEN_LIFE_S = 12 * 3600

#: How long a push service keeps a message for a browser that is away: older news is none.
TTL_S = 6 * 3600

_LAST_RECORD = b"\x02"


@dataclass(frozen=True, slots=True)
class KeyPair:
    private_key: str
    public_key: str


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises ``ValueError``."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def new_key_pair() -> KeyPair:
    private = ec.generate_private_key(ec.SECP256R1())
    return KeyPair(
        encode(private.private_numbers().private_value.to_bytes(SCALAR_BYTES, "big")), encode(_point(private))
    )


def checked_point(text: str) -> ec.EllipticCurvePublicKey:
    """A public key on the curve. Raises ``ValueError``."""
    raw = decode(text)
    if len(raw) != POINT_BYTES:
        raise ValueError("a public key has 65 bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


def encrypt(
    message: bytes,
    p256dh: str,
    auth: str,
    *,
    salt: bytes | None = None,
    private: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a push request, content coding ``aes128gcm``. Raises ``ValueError`` for keys that are none.

    ``salt`` and ``private`` are new for each message; tests name those of the RFC.
    """
    if len(message) > MESSAGE_BYTES:
        raise ValueError("the message is too long for a push service")
    receiver, secret = checked_point(p256dh), decode(auth)
    if len(secret) != SECRET_BYTES:
        raise ValueError("an authentication secret has 16 bytes")
    salt = salt if salt is not None else os.urandom(SALT_BYTES)
    private = private or ec.generate_private_key(ec.SECP256R1())
    sender = _point(private)
    shared = private.exchange(ec.ECDH(), receiver)
    info = b"WebPush: info\x00" + decode(p256dh) + sender
    material = HKDF(hashes.SHA256(), 32, secret, info).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(material)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(material)
    sealed = AESGCM(key).encrypt(nonce, message + _LAST_RECORD, None)
    return salt + RECORD_BYTES.to_bytes(4, "big") + bytes([POINT_BYTES]) + sender + sealed


def authorization(endpoint: str, keys: KeyPair, contact: str, now_s: int) -> str:
    """The value of ``Authorization`` for a request to ``endpoint``."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now_s + TOKEN_LIFE_S, "sub": contact}
    signed = f"{_json({'typ': 'JWT', 'alg': 'ES256'})}.{_json(claims)}"
    signature = _private(keys.private_key).sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(signature)
    raw = r.to_bytes(SCALAR_BYTES, "big") + s.to_bytes(SCALAR_BYTES, "big")
    return f"vapid t={signed}.{encode(raw)}, k={keys.public_key}"


def _json(value: object) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), ec.SECP256R1())


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
