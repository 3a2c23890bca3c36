"""Where requests of ours may go: every spelling of an inside address that we know is refused (O2, O5)."""

from __future__ import annotations

import ipaddress

import pytest

from wire.outgoing import Policy, Refused, host_shown, is_push_service, parse_networks

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:1::1",
    "2001:db8::1",
    "::7f00:1",
    "100::1",
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    for scheme in ("https", "http"):
        with pytest.raises(Refused):
            Policy().check(ipaddress.ip_address(address), scheme)


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_reached_over_tls_only(address: str) -> None:
    Policy().check(ipaddress.ip_address(address), "https")
    with pytest.raises(Refused, match="plain http"):
        Policy().check(ipaddress.ip_address(address), "http")


def test_a_network_that_the_operator_named_may_be_reached_and_nothing_beside_it() -> None:
    policy = Policy(parse_networks(["10.1.0.0/16", "127.0.0.1"]))
    policy.check(ipaddress.ip_address("10.1.2.3"), "https")
    policy.check(ipaddress.ip_address("127.0.0.1"), "http")
    policy.check(ipaddress.ip_address("::ffff:10.1.2.3"), "https")
    for address, scheme in (("10.2.0.1", "https"), ("10.1.2.3", "http"), ("127.0.0.2", "http"), ("::1", "http")):
        with pytest.raises(Refused):
            policy.check(ipaddress.ip_address(address), scheme)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "hook",
            "//example.org/x",
            "ftp://example.org/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "https://",
        ),
        *("https:///path", "https://user@example.org/", "https://user:pw@example.org/", "https://example.org/#a"),
        *("https://example.org:0/", "https://example.org:99999/", "https://example.org:abc/", "https://exämple.org/"),
        *("https://example.org/a b", "https://example.org\\@127.0.0.1/", "https://[::1", "https://[fe80::1%25eth0]/"),
        *("http://example.org/", "http://localhost/", "https://localhost/", "https://127.0.0.1/", "https://[::1]/"),
        *(
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://0.0.0.0/",
            "https://10.0.0.1:8443/",
        ),
        "https://example.org/" + "x" * 2_048,
    ],
)
def test_a_url_that_we_would_not_send_to_is_refused_before_it_is_stored(url: str) -> None:
    with pytest.raises(Refused):
        Policy().check_url(url)


def test_names_are_left_to_the_sender() -> None:
    for url in (
        "https://example.org/hook?x=1",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://xn--exmple-cua.org:8443/",
    ):
        Policy().check_url(url)


def test_only_push_services_of_browsers_may_be_subscribed() -> None:
    for host in (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "db5p.notify.windows.com",
        "web.push.apple.com",
    ):
        Policy().check_push_endpoint(f"https://{host}/x")
    for host in (
        "example.org",
        "fcm.googleapis.com.evil.test",
        "evilpush.apple.com",
        "push.apple.com",
        "notify.windows.com.x",
    ):
        assert not is_push_service(host)
        with pytest.raises(Refused):
            Policy().check_push_endpoint(f"https://{host}/x")
    named = Policy(parse_networks(["127.0.0.0/8", "10.0.0.0/8"]))
    named.check_push_endpoint("http://127.0.0.1:5000/x")
    for url in ("https://10.0.0.1/x", "http://fcm.googleapis.com/x"):
        with pytest.raises(Refused):
            named.check_push_endpoint(url)


def test_a_url_is_shown_without_what_may_be_its_secret() -> None:
    assert host_shown("https://hooks.example.org:8443/services/T0/secret?k=v") == "https://hooks.example.org:8443/…"
    assert host_shown("https://example.org/") == "https://example.org/"
