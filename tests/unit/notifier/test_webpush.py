"""Encryption against the example of RFC 8291, the token against that of RFC 8292, and a browser that reads what we send."""

from __future__ import annotations

import json

import pytest

cryptography = pytest.importorskip("cryptography", reason="NOT TESTED: the extra 'push' is not installed")

from cryptography.exceptions import InvalidSignature  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

from notifier import webpush  # noqa: E402
from tests.harness.push_browser import PushBrowser, check_vapid  # noqa: E402
from wire.p256 import is_point  # noqa: E402

# RFC 8291, section 5 and appendix A.
SENDER_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
RECEIVER_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
PLAIN = b"When I grow up, I want to be a watermelon"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

# RFC 8292, section 2.4.
VAPID_EXAMPLE = (
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1Yi"
    "I6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA,"
    " k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(webpush.decode(text), "big"), ec.SECP256R1())


def test_the_message_of_the_rfc_is_encrypted_as_in_the_rfc() -> None:
    sealed = webpush.encrypt(PLAIN, RECEIVER_PUBLIC, SECRET, salt=webpush.decode(SALT), private=private(SENDER_PRIVATE))
    assert webpush.encode(sealed) == SEALED


def test_the_reader_of_these_tests_reads_the_message_of_the_rfc() -> None:
    assert PushBrowser(private(RECEIVER_PRIVATE), webpush.decode(SECRET)).read(webpush.decode(SEALED)) == PLAIN


def test_a_browser_reads_what_it_is_sent_and_two_messages_never_look_alike() -> None:
    browser = PushBrowser()
    sealed = [webpush.encrypt(b'{"title":"x"}', browser.p256dh, browser.auth) for _ in range(2)]
    assert [browser.read(one) for one in sealed] == [b'{"title":"x"}'] * 2
    assert sealed[0] != sealed[1]


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        (RECEIVER_PUBLIC[:-2], SECRET),
        ("BA" + "A" * 85, SECRET),
        (RECEIVER_PUBLIC, SECRET[:-2]),
        ("not base64url!", SECRET),
    ],
)
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        webpush.encrypt(b"x", p256dh, auth)


def test_a_message_that_no_push_service_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        webpush.encrypt(b"x" * (webpush.MESSAGE_BYTES + 1), RECEIVER_PUBLIC, SECRET)


def test_the_checker_of_these_tests_accepts_the_token_of_the_rfc() -> None:
    claims = check_vapid(VAPID_EXAMPLE)
    assert claims == {"aud": "https://push.example.net", "exp": 1453523768, "sub": "mailto:push@example.com"}


def test_a_push_service_can_check_who_we_are() -> None:
    keys = webpush.new_key_pair()
    header = webpush.authorization("https://push.example.net:8443/p/abc?d=1", keys, "mailto:me@example.org", 1_000_000)
    assert header.endswith(f"k={keys.public_key}")
    claims = check_vapid(header)
    assert claims["aud"] == "https://push.example.net:8443" and claims["sub"] == "mailto:me@example.org"
    assert 0 < claims["exp"] - 1_000_000 <= 24 * 3600
    head = webpush.decode(header.split("t=")[1].split(".")[0])
    assert json.loads(head) == {"typ": "JWT", "alg": "ES256"}
    other = webpush.new_key_pair()
    with pytest.raises(InvalidSignature):
        check_vapid(header.replace(keys.public_key, other.public_key))


def test_points_of_the_curve_are_told_from_other_bytes_without_the_library() -> None:
    for _ in range(20):
        raw = webpush.decode(webpush.new_key_pair().public_key)
        assert is_point(raw)
        assert (
            not is_point(raw[:-1] + bytes([raw[-1] ^ 1])) and not is_point(raw[1:]) and not is_point(b"\x02" + raw[1:])
        )
    assert not is_point(b"") and not is_point(b"\x04" + b"\xff" * 64)
