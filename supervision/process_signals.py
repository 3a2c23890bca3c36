"""SIGTERM and SIGINT as bytes on a socket pair, so that a loop handles them between other events."""

from __future__ import annotations

import signal
import socket
from typing import Protocol

STOP = (signal.SIGTERM, signal.SIGINT)


class StopSource(Protocol):
    def fileno(self) -> int: ...

    def read(self) -> int:
        """How many requests to stop came."""

    def close(self) -> None: ...


class StopSignals:
    """From the main thread only. ``close`` gives the former handlers back."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._previous_fd = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._previous = {signum: signal.signal(signum, lambda *_: None) for signum in STOP}

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> int:
        return sum(signum in STOP for signum in self._ours.recv(64))

    def close(self) -> None:
        signal.set_wakeup_fd(self._previous_fd)
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        self._ours.close()
        self._theirs.close()
