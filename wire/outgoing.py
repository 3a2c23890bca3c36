"""Where requests of ours may go (outgoing rules O1, O2 and O5): what a URL may look like, and which addresses it may lead to.

Whatever is not a public unicast address is refused unless the operator named its network (``outgoing_networks``); plain http is
for loopback alone. What a *name* leads to is known only when it is resolved, so the sender checks every address again.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from wire import limits

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Ranges of IPv6 in which an IPv4 address is hidden: what counts is that one. (network, bits behind it)
_HIDING = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)

#: The push services of the browsers: exact names, and those that end in these.
PUSH_SERVICES = ("fcm.googleapis.com",)
PUSH_SERVICES_UNDER = (".push.services.mozilla.com", ".notify.windows.com", ".push.apple.com")

#: Tunnels, old forms, and what is set aside for protocols: nobody serves a webhook there, whatever a library thinks of them.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in ("2001::/32", "::/96", "64:ff9b:1::/48", "fec0::/10", "192.0.0.0/24", "192.88.99.0/24")
)


class Refused(Exception):
    """We do not send there; the message says why, and is safe to show."""


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as ``10.1.0.0/16`` or single addresses. Raises ``ValueError``."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def checked_url(url: str) -> SplitResult:
    """The parts of a URL that we could send to. Raises ``Refused``."""
    if len(url) > limits.URL_CHARS:
        raise Refused(f"the address must have at most {limits.URL_CHARS} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("the address cannot be read") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Refused("the address must begin with https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise Refused("the address must not hold a user or a password")
    if parts.fragment or port == 0:
        raise Refused("the address must not have a fragment or port 0")
    if not url.isascii() or any(char.isspace() for char in url) or "\\" in url:
        raise Refused("the address must be ASCII without blanks; write a foreign name in its xn-- form")
    return parts


class Policy:
    """``allowed``: networks that may be reached although they are not public. ``check…`` raise ``Refused``."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def check_url(self, url: str) -> SplitResult:
        """As far as can be said without resolving the name."""
        parts = checked_url(url)
        host = parts.hostname or ""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            if host == "localhost":
                self.check(ipaddress.IPv4Address("127.0.0.1"), parts.scheme)
            elif parts.scheme == "http":
                raise Refused("plain http is for loopback addresses only") from None
        else:
            self.check(address, parts.scheme)
        return parts

    def check_push_endpoint(self, url: str) -> SplitResult:
        """Push services of browsers, and nobody else; a loopback that the operator named may stand for one."""
        parts = self.check_url(url)
        host = parts.hostname or ""
        if not is_push_service(host) and not _is_loopback(host):
            raise Refused("the endpoint belongs to no push service that is known")
        return parts

    def check(self, address: Address, scheme: str) -> None:
        """Whether a request of ``scheme`` may go to ``address``."""
        real = _unhidden(address)
        if scheme == "http" and not real.is_loopback:
            raise Refused("plain http is for loopback addresses only")
        if _is_in(real, self._allowed) or _is_in(address, self._allowed):
            return
        if not _is_public(real) or _is_in(address, _NEVER) or _is_in(real, _NEVER):
            raise Refused("the name leads to an address that is not public (outgoing_networks names exceptions)")


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _unhidden(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        for network, behind in _HIDING:
            if address in network:
                return ipaddress.IPv4Address((int(address) >> behind) & 0xFFFFFFFF)
    return address


def is_push_service(host: str) -> bool:
    return host in PUSH_SERVICES or host.endswith(PUSH_SERVICES_UNDER)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def host_shown(url: str) -> str:
    """What may be shown of an address whose path can be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/" + ("…" if parts.path.strip("/") or parts.query else "")
