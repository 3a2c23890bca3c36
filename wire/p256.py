"""The curve P-256: whether bytes are a public key on it. Enough to refuse a bad one at the door without a library."""

from __future__ import annotations

POINT_BYTES = 65

_UNCOMPRESSED = 4
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def is_point(raw: bytes) -> bool:
    """Whether ``raw`` is an uncompressed point of the curve, as browsers hand out their keys."""
    if len(raw) != POINT_BYTES or raw[0] != _UNCOMPRESSED:
        return False
    x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
    return x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0
