"""A clock for a hub that must look the same whenever it is looked at: pictures for the documentation, tests of pages.

The wall clock stands in a file, so that all processes read the same and whoever prepares the picture can move it. Monotonic time
stands still, hence no lease expires, no window moves and no condition ages. Timers are not meant to run on this clock.
"""

from __future__ import annotations

import os
from pathlib import Path

#: Seconds; any number, and the same in every run.
MONOTONIC_S = 1_000_000.0


#: A hub whose time stands still claims to have run for so long already, so that it looks like one at work.
UPTIME_S = 3 * 3600.0 + 12 * 60.0


def write(path: Path, unix_ms: int) -> None:
    """Set the clock of every process that reads this file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, unix_ms.to_bytes(8), 0)  # in one piece, so that nobody reads half of it
    finally:
        os.close(descriptor)


class StoppedClock:
    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def monotonic(self) -> float:
        return MONOTONIC_S

    def time_ms(self) -> int:
        return int.from_bytes(os.pread(self._descriptor, 8, 0))
