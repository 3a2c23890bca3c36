"""Which Host and Origin headers are ours."""

from __future__ import annotations

import pytest

from web.hosts import HostPolicy, OriginPolicy, is_loopback, parse_host

PORT = 4000
LOCAL = "192.168.7.5"


def nowhere() -> str | None:
    return None


def lan() -> str | None:
    return LOCAL


OURS = [
    "localhost:4000",
    "LOCALHOST:4000",
    "127.0.0.1:4000",
    "[::1]:4000",
    "[0:0:0:0:0:0:0:1]:4000",
    "hub.example:4000",
    "hub.example",
    "hub.example:443",
    "fixed.example:8443",
]

FOREIGN = [
    "",
    ":",
    ":4000",
    "evil.test",
    "evil.test:4000",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:80",
    "127.0.0.1:4001",
    "127.0.0.1:0",
    "127.0.0.1:99999",
    "127.0.0.1:4000:4000",
    "127.0.0.1.evil.test:4000",
    "localhost.:4000",
    "localhost.evil.test:4000",
    "evil.test#localhost:4000",
    "user@localhost:4000",
    "localhost:4000@evil.test",
    "localhost:4000/",
    "http://localhost:4000",
    "127.1:4000",
    "0x7f.0.0.1:4000",
    "2130706433:4000",
    "0.0.0.0:4000",
    "[::]:4000",
    "::1:4000",
    "[::1",
    "[::1]evil:4000",
    "[::ffff:1.2.3.4]:4000",
    "fixed.example",
    "fixed.example:4000",
    "sub.hub.example:4000",
    "hub.example:4000\n",
    "localhost:4000 ",
    "löcalhost:4000",
    "localhost:\u0664000",
    "x" * 300 + ":4000",
]


@pytest.mark.parametrize("header", OURS)
def test_our_own_names_are_allowed(header: str) -> None:
    assert HostPolicy(PORT, ["hub.example", "fixed.example:8443"]).allows(header, nowhere)


@pytest.mark.parametrize("header", FOREIGN, ids=lambda header: repr(header)[:40])
def test_other_names_are_not(header: str) -> None:
    """DNS rebinding: the page's origin is not ours although the address is."""
    assert not HostPolicy(PORT, ["hub.example", "fixed.example:8443"]).allows(header, nowhere)


def test_the_address_on_which_a_connection_came_in_is_a_good_name() -> None:
    """A rebinding page needs a name whose meaning it can change; an address has none."""
    policy = HostPolicy(PORT)
    assert policy.allows(f"{LOCAL}:4000", lan)
    assert not policy.allows(f"{LOCAL}:4001", lan)
    assert not policy.allows("192.168.7.6:4000", lan)
    assert not policy.allows("evil.test:4000", lambda: "evil.test")


def test_the_default_port_may_be_left_out_where_we_listen_on_it() -> None:
    assert HostPolicy(80).allows("localhost", nowhere)
    assert not HostPolicy(80).allows("localhost:4000", nowhere)


def test_a_configured_name_that_is_none_stops_the_start() -> None:
    with pytest.raises(ValueError, match="not a host name"):
        HostPolicy(PORT, ["http://hub.example/"])


def test_hosts_are_parsed() -> None:
    assert parse_host("A.b-c:1") == ("a.b-c", 1)
    assert parse_host("[::1]") == ("::1", None)
    assert parse_host("a b") is None


# --- origins ----------------------------------------------------------------------------------------------------------

HOST = "127.0.0.1:4000"
SAME = "http://127.0.0.1:4000"


@pytest.mark.parametrize(
    ("origin", "fetch_site", "allowed"),
    [
        (None, None, True),
        (None, "none", True),
        (None, "same-origin", True),
        (None, "same-site", False),
        (None, "cross-site", False),
        (SAME, None, True),
        (SAME, "same-origin", True),
        (SAME.upper(), None, True),
        (SAME, "cross-site", False),
        (SAME, "same-site", False),
        (SAME, "nonsense", False),
        ("null", None, False),
        ("null", "same-origin", False),
        ("", None, False),
        ("http://evil.test", None, False),
        ("http://evil.test", "same-origin", False),
        ("http://127.0.0.1", None, False),
        ("http://127.0.0.1:1", None, False),
        ("http://localhost:4000", None, False),
        ("https://127.0.0.1:4000", None, False),
        ("http://127.0.0.1:4000.evil.test", None, False),
        ("http://127.0.0.1:4000/", None, False),
        ("file://", None, False),
        ("chrome-extension://abc", None, False),
        ("https://hub.example", "cross-site", True),
        ("https://HUB.example", None, True),
        ("http://hub.example", None, False),
    ],
)
def test_origins(origin: str | None, fetch_site: str | None, allowed: bool) -> None:
    policy = OriginPolicy(["https://hub.example/"])
    assert policy.allows(origin=origin, fetch_site=fetch_site, host=HOST) is allowed


def test_only_a_page_of_ours_is_ours() -> None:
    policy = OriginPolicy(["https://hub.example"])
    """A trusted origin is a proxy's: who sits behind it, nobody here can know."""
    assert policy.is_ours(SAME, HOST)
    assert not policy.is_ours(None, HOST) and not policy.is_ours("http://evil.test", HOST)
    assert not policy.is_ours("https://hub.example", HOST)


def test_default_ports_are_the_same_with_and_without_their_number() -> None:
    assert OriginPolicy.is_same("http://localhost", "localhost:80")
    assert OriginPolicy.is_same("http://localhost:80", "localhost")


def test_loopback_addresses() -> None:
    assert all(is_loopback(address) for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"))
    assert not any(is_loopback(address) for address in ("192.168.0.1", "::ffff:10.0.0.1", "0.0.0.0", "", "localhost"))
