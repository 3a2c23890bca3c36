"""The listening socket: bound once by the root, inherited by every web process."""

from __future__ import annotations

import errno
import ipaddress
import socket

#: A taken default port moves on to the next free one, at most so many times.
PORT_ATTEMPTS = 50

BACKLOG = 1024


class PortTaken(Exception):
    """Somebody else listens on ``port``."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} of {host} is taken")
        self.host = host
        self.port = port


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int, *, strict: bool) -> socket.socket:
    """A listening socket. ``port`` 0 picks one; a taken port is ``PortTaken`` when ``strict``, else the next is tried."""
    attempts = 1 if strict or port == 0 else PORT_ATTEMPTS
    for candidate in range(port, port + attempts):
        try:
            return _listen(host, candidate)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise PortTaken(host, port)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sock: socket.socket, host: str) -> str:
    """The address that a browser on this machine can use."""
    port = sock.getsockname()[1]
    if host in ("0.0.0.0", ""):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
