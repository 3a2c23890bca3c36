"""Which ``Host`` and ``Origin`` headers are ours (security.md N2, N3).

A page of somebody else that makes its own name point to 127.0.0.1 (DNS rebinding) reaches this server with that name in
``Host``: so the name decides before anything else. A page on another origin reaches it with its own ``Origin``: so that
decides for everything that is not a plain read.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
HTTP_PORT = 80

_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_-])?))(?::(?P<port>[0-9]{1,5}))?"
)


def parse_host(header: str) -> tuple[str, int | None] | None:
    """(name or address in lower case, port or None), or None for what is not a host: user parts, paths, a final dot."""
    match = _HOST.fullmatch(header.lower())
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    if match["v6"] is None:
        return match["name"], port
    try:
        return str(ipaddress.IPv6Address(match["v6"])), port
    except ValueError:
        return None


class HostPolicy:
    """Decides about ``Host`` headers of a server that listens on ``port``."""

    def __init__(self, port: int, configured: Iterable[str] = ()) -> None:
        self._port = port
        self._allowed = {(name, port) for name in LOOPBACK_NAMES}
        for entry in configured:
            parsed = parse_host(entry)
            if parsed is None:
                raise ValueError(f"not a host name: {entry!r}")
            name, own_port = parsed
            # Without a port: ours, or the default one, where a proxy stands in front.
            ports = {own_port} if own_port is not None else {port, HTTP_PORT, 443}
            self._allowed |= {(name, one) for one in ports}

    def allows(self, header: str, local_address: Callable[[], str | None]) -> bool:
        """``local_address``: the address on which this connection came in.

        It is allowed as a name too, because a rebinding page needs a *name* whose meaning it can change. That lets people
        on the network use the address that the hub was bound to without configuring it.
        """
        parsed = parse_host(header)
        if parsed is None:
            return False
        name, port = parsed[0], parsed[1] if parsed[1] is not None else HTTP_PORT
        if (name, port) in self._allowed:
            return True
        return port == self._port and is_address(name) and name == local_address()


class OriginPolicy:
    """Decides about requests that change something, and about upgrades."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted = frozenset(origin.lower().rstrip("/") for origin in trusted)

    def allows(self, *, origin: str | None, fetch_site: str | None, host: str) -> bool:
        """No ``Origin`` is fine: every browser sends one with such requests, and other programs cannot be tricked.

        ``host`` is the request's ``Host``, which ``HostPolicy`` allowed. ``Sec-Fetch-Site`` can only forbid: a page that
        rebinds its name sends ``same-origin`` too.
        """
        if origin is not None and self.is_trusted(origin):
            return True
        if fetch_site not in (None, "same-origin", "none"):
            return False
        return origin is None or self.is_same(origin, host)

    def is_ours(self, origin: str | None, host: str) -> bool:
        """Whether a page that this server gave out sent this; a program that is no browser sends no ``Origin``.

        A trusted origin is not enough: it stands for a proxy, and one that adds no header makes everybody behind it look local.
        """
        return origin is not None and self.is_same(origin, host)

    def is_trusted(self, origin: str) -> bool:
        return origin.lower() in self._trusted

    @staticmethod
    def is_same(origin: str, host: str) -> bool:
        """We speak plain HTTP, so an ``https`` page is another origin unless a proxy's is configured as trusted."""
        scheme, separator, rest = origin.lower().partition("://")
        if scheme != "http" or not separator:
            return False
        theirs, ours = parse_host(rest), parse_host(host)
        if theirs is None or ours is None:
            return False
        return (theirs[0], theirs[1] or HTTP_PORT) == (ours[0], ours[1] or HTTP_PORT)


@lru_cache(maxsize=4096)
def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_loopback(address: str) -> bool:
    """Also for ``::ffff:127.0.0.1``, as a dual-stack socket shows its IPv4 peers."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
