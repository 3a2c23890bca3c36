"""Signatures against the published example of Standard Webhooks, and against what an attacker might change."""

from __future__ import annotations

import pytest

from notifier import signing

SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
ID, TIME = "msg_loFOjxBNrRLzqYUf", 1731705121
BODY = b'{"event_type":"ping","data":{"success":true}}'


def test_the_published_example_is_signed_as_published() -> None:
    assert signing.signature(SECRET, ID, TIME, BODY) == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_all_three_headers_go_with_a_delivery() -> None:
    assert signing.headers(SECRET, ID, TIME, BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": str(TIME),
        "webhook-signature": signing.signature(SECRET, ID, TIME, BODY),
    }


def test_id_time_body_and_secret_are_all_signed() -> None:
    good = signing.signature(SECRET, ID, TIME, BODY)
    other = signing.secret_of(b"another key, of 24 bytes")
    for changed in ((SECRET, "msg_x", TIME, BODY), (SECRET, ID, TIME + 1, BODY), (SECRET, ID, TIME, BODY + b" ")):
        assert signing.signature(*changed) != good
    assert signing.signature(other, ID, TIME, BODY) != good


def test_a_secret_is_written_and_read_back() -> None:
    assert signing.key_of(signing.secret_of(b"k" * 24)) == b"k" * 24
    for wrong in ("plJ3nmyCDGBKInavdOK15jsl", "whsec_not base64!", "WHSEC_AAAA"):
        with pytest.raises(ValueError, match="secret"):
            signing.key_of(wrong)
