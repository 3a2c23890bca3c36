"""The readiness protocol of sd_notify(3): datagrams of ``KEY=VALUE`` lines to the socket named by ``NOTIFY_SOCKET``."""

from __future__ import annotations

import os
import socket

#: What has to arrive waits so long for a supervisor that does not read just now.
SEND_LIMIT_S = 60.0

#: A sign of life is sent again soon, so it waits for nobody: a supervisor that stands still must not hold up its children.
_REPEATED = "WATCHDOG=1"


def notify(state: str) -> bool:
    """Tell the supervising process ``state`` (for example ``READY=1``). False: nobody asked, nobody listens, or nobody reads."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.settimeout(0.0 if state == _REPEATED else SEND_LIMIT_S)
        try:
            sock.sendto(state.encode(), address)
        except OSError:
            return False
    return True
