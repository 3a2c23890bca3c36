"""What a process at this end of the link says to the root that started it, in the readiness protocol of sd_notify(3)."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send ``state`` (for example ``READY=1``) to the socket named by ``NOTIFY_SOCKET``; nothing when nobody asked."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock, suppress(OSError):
        sock.sendto(state.encode(), address)


def start_notifier() -> None:
    """Nobody starts it before there is somebody to tell. Said before the first one is stored, so that no death in between
    leaves one who waits in vain; saying it again does no harm."""
    notify("START=notifier")
