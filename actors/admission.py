"""Whether new tasks may come in: when the disk or the memory nears its end, submits are refused first, completions never.

The work that is already in the queue can go on with what is left, and each completion makes room. What is looked at is read from
the system at most once a second (``READ_PERIOD_S``).
"""

from __future__ import annotations

import os
from pathlib import Path

from actors.vocabulary.tasks import Refusal, Refused

READ_PERIOD_S = 1.0

MEMINFO = Path("/proc/meminfo")

#: Of the control group that this process is in, where there is one (cgroup v2); "max" where it has no limit.
CGROUP = Path("/sys/fs/cgroup")


class Admission:
    """``folder``: where the database is. The bounds are bytes that must stay free."""

    def __init__(self, folder: Path, min_free_disk: int, min_free_memory: int) -> None:
        self._folder = folder
        self._min_free_disk = min_free_disk
        self._min_free_memory = min_free_memory
        self._read_at = float("-inf")
        self._refused: Refused | None = None

    def refusal(self, now_s: float) -> Refused | None:
        """Why no task may come in now; None when it may. ``now_s`` is monotonic."""
        if now_s - self._read_at >= READ_PERIOD_S:
            self._read_at = now_s
            self._refused = self._look()
        return self._refused

    def _look(self) -> Refused | None:
        disk = free_disk(self._folder)
        if disk < self._min_free_disk:
            return Refused(
                Refusal.NO_SPACE, f"the disk of the hub has {_mib(disk)} free, {_mib(self._min_free_disk)} must stay"
            )
        memory = free_memory()
        if memory is not None and memory < self._min_free_memory:
            detail = (
                f"the machine of the hub has {_mib(memory)} of memory free, {_mib(self._min_free_memory)} must stay"
            )
            return Refused(Refusal.OVERLOADED, detail)
        return None


def free_disk(folder: Path) -> int:
    """Bytes that a process without privileges may still write."""
    return disk_space(folder)[0]


def disk_space(folder: Path) -> tuple[int, int]:
    """(free, all) in bytes, as a process without privileges sees them."""
    found = os.statvfs(folder)
    used = found.f_blocks - found.f_bfree
    return found.f_bavail * found.f_frsize, (used + found.f_bavail) * found.f_frsize


def free_memory(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Bytes that may be allocated without swapping: the machine's or the control group's, whichever is less. None: unknown."""
    found = []
    try:
        lines = (line.split() for line in meminfo.read_text().splitlines())
        found += [int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:"]
    except (OSError, ValueError, IndexError):
        pass
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        if limit != "max":
            found.append(int(limit) - int((cgroup / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return min(found, default=None)


def _mib(size: int) -> str:
    return f"{size >> 20:,} MiB"
