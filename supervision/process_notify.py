"""The supervising end of sd_notify(3): one datagram socket for all children, told apart by the sender's pid."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")

#: A datagram of this protocol is a few short lines.
_MAX_BYTES = 4096

#: The longest time that anybody may ask for: a day.
_MAX_USEC = 86_400_000_000


def seconds(microseconds: str) -> float | None:
    """A number of this protocol; None for what is none, or is more than a day."""
    is_number = microseconds.isascii() and microseconds.isdecimal() and len(microseconds) <= len(str(_MAX_USEC))
    if not is_number or int(microseconds) > _MAX_USEC:
        return None
    return int(microseconds) / 1_000_000


class NotifySocket:
    """``path`` goes to the children as ``NOTIFY_SOCKET``."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(str(path))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.setblocking(False)
        self.path = str(path)

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> list[tuple[int | None, dict[str, str]]]:
        """(pid of the sender as the kernel knows it, what it said) of everything that waits."""
        found: list[tuple[int | None, dict[str, str]]] = []
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(_MAX_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
            except BlockingIOError:
                return found
            pid = next((_CREDENTIALS.unpack(raw[: _CREDENTIALS.size])[0] for _, _, raw in ancillary), None)
            lines = data.decode(errors="replace").split("\n")
            found.append((pid, dict(line.split("=", 1) for line in lines if "=" in line)))

    def close(self) -> None:
        self._socket.close()
