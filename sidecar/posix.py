"""What the operating system offers and Python does not wrap: a bond to the parent, and the word "ready" to systemd."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Get SIGTERM when ``parent`` dies, at once if it is dead already. Does nothing where prctl(2) does not exist."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def tell_ready() -> None:
    """``READY=1`` to the socket named by ``NOTIFY_SOCKET`` (sd_notify(3)); silent when nobody asked."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.sendto(b"READY=1", "\0" + address[1:] if address.startswith("@") else address)


def signal_group(pgid: int, signum: signal.Signals) -> bool:
    """Send ``signum`` to every process of the group; False when nobody is left in it."""
    try:
        os.killpg(pgid, signum)
    except (ProcessLookupError, PermissionError):
        return False
    return True
